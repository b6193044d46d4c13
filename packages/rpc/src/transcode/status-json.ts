import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { Status } from "../call/status.ts";
import type { MessageCodec } from "../codec/message-codec.ts";

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
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === 3 && wireType === WireType.LengthDelimited)
        details.push(any.jsonFromBytes(reader.bytes()));
      else reader.skip(wireType, field);
    }
  } catch {
    // Details that are not a google.rpc.Status: what could be read of them is shown, code and message stand.
  }
  return details;
}
