import { bytesFromBase64, base64FromBytes } from "./base64.ts";
import { type PayloadReader, type PayloadWriter } from "./payload.ts";
import { ProtocolError } from "./protocol-error.ts";

/**
 * Metadata of a call: lower-case names, values as text. A value of a name that ends in `-bin` is base64 here, padded
 * or not, and raw bytes on the wire. A name with several values has an array, in order.
 */
export type Metadata = Readonly<Record<string, string | readonly string[]>>;

/** Metadata without any name; shared, because it cannot change. */
export const noMetadata: Metadata = Object.freeze(Object.create(null) as Record<string, string>);

const validName = /^[0-9a-z_.-]{1,255}$/;
const validValue = /^[\x20-\x7e]*$/;

/**
 * Adds metadata to a payload, as pairs of name and value. Throws a TypeError that names what cannot stand in
 * metadata. Source: PROTOCOL.md, "Metadata".
 */
export function writeMetadata(writer: PayloadWriter, metadata: Metadata): void {
  for (const name in metadata) {
    if (!validName.test(name)) throw new TypeError(`${JSON.stringify(name)} is not a name of metadata`);
    const values = metadata[name] as string | readonly string[];
    for (const value of typeof values === "string" ? [values] : values) {
      const bytes = name.endsWith("-bin") ? bytesFromBase64(value) : undefined;
      if (name.endsWith("-bin") ? bytes === undefined : !validValue.test(value)) {
        throw new TypeError(`the value of ${name} in the metadata is not ${wanted(name)}`);
      }
      writer.text8(name);
      if (bytes === undefined) writer.text16(value);
      else writer.bytes16(bytes);
    }
  }
}

/** Reads the pairs that fill the rest of a payload. Throws a `ProtocolError` for what cannot stand in metadata. */
export function readMetadata(reader: PayloadReader): Metadata {
  let metadata: Record<string, string | string[]> | undefined;
  while (reader.left > 0) {
    const name = reader.text8();
    if (!validName.test(name)) throw new ProtocolError(`${JSON.stringify(name)} is not a name of metadata`);
    const value = name.endsWith("-bin") ? base64FromBytes(reader.bytes16()) : reader.text16();
    if (!validValue.test(value)) throw new ProtocolError(`the value of ${name} is not ${wanted(name)}`);
    metadata ??= Object.create(null) as Record<string, string | string[]>;
    const before = metadata[name];
    if (before === undefined) metadata[name] = value;
    else if (typeof before === "string") metadata[name] = [before, value];
    else before.push(value);
  }
  return metadata ?? noMetadata;
}

function wanted(name: string): string {
  return name.endsWith("-bin") ? "base64" : "printable ASCII";
}
