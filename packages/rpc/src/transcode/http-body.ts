import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { RpcError } from "../error.ts";
import { delimitedFields } from "../wire/delimited-fields.ts";

/** A body that is no JSON: a `google.api.HttpBody`, whose extensions are not used. */
export interface HttpBody {
  readonly contentType: string;
  readonly data: Uint8Array;
}

/** Whether a message is a body as it stands. Source: google/api/httpbody.proto. */
export function isHttpBody(message: DescMessage | undefined): boolean {
  return message?.typeName === "google.api.HttpBody";
}

/** The bytes of a HttpBody message. */
export function bytesFromHttpBody({ contentType, data }: HttpBody): Uint8Array {
  const writer = new BinaryWriter();
  if (contentType !== "") writer.tag(1, WireType.LengthDelimited).string(contentType);
  if (data.length > 0) writer.tag(2, WireType.LengthDelimited).bytes(data);
  return writer.finish();
}

/** Reads a HttpBody message; its data is a view of `bytes`. Throws RpcError `protobuf_invalid`. */
export function httpBodyFromBytes(bytes: Uint8Array): HttpBody {
  let contentType = "";
  let data: Uint8Array = new Uint8Array(0);
  try {
    for (const [field, value] of delimitedFields(bytes)) {
      if (field === 1) contentType = Buffer.from(value).toString("utf8");
      else if (field === 2) data = value;
    }
  } catch (error) {
    throw new RpcError("protobuf_invalid", "the google.api.HttpBody cannot be read", error);
  }
  return { contentType, data };
}

/** The bytes of one field of a message that is a message itself; empty where it is not there. */
export function bytesOfField(bytes: Uint8Array, number: number): Uint8Array {
  const parts: Uint8Array[] = [];
  try {
    for (const [field, value] of delimitedFields(bytes)) {
      if (field === number) parts.push(value);
    }
  } catch (error) {
    throw new RpcError("protobuf_invalid", "the message cannot be read", error);
  }
  // The same message twice is merged by reading one after the other.
  return parts.length === 1 ? (parts[0] ?? new Uint8Array(0)) : Buffer.concat(parts);
}

/** A message, and one more field of it behind: protobuf merges the two. */
export function appendField(message: Uint8Array, number: number, value: Uint8Array): Uint8Array {
  const head = new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(value.length).finish();
  return Buffer.concat([message, head, value]);
}
