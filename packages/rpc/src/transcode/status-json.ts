import type { Status } from "../call/status.ts";
import type { MessageCodec } from "../codec/message-codec.ts";
import { delimitedFields } from "../wire/delimited-fields.ts";

/**
 * The JSON text of a status as `google.rpc.Status`: `{"code":5,"message":"…","details":[…]}`. A detail whose
 * type the schema does not know keeps its type and its bytes in base64; it is never replaced by another error.
 * `any` is the codec of `google.protobuf.Any`; without it details are left out. Source: google/rpc/status.proto.
 */
export function jsonFromStatus(status: Status, any?: MessageCodec): string {
  const details = status.details === undefined || any === undefined ? [] : detailsOf(status.details, any);
  return `{"code":${status.code},"message":${JSON.stringify(status.message)},"details":[${details.join(",")}]}`;
}

// The server's own copy of code and message in the details is not used: grpc-status is what counts.
function detailsOf(bytes: Uint8Array, any: MessageCodec): string[] {
  const details: string[] = [];
  try {
    for (const [field, value] of delimitedFields(bytes)) {
      if (field === 3) details.push(any.jsonFromBytes(value));
    }
  } catch {
    // Details that are not a google.rpc.Status: what could be read of them is shown, code and message stand.
  }
  return details;
}
