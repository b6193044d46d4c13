import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * The length-delimited fields of a message, in the order of the wire, as views of its bytes; others are skipped.
 * Throws what protobuf-es throws for bytes that are not a message, after the fields that came before.
 */
export function* delimitedFields(
  message: Uint8Array,
): Generator<readonly [field: number, value: Uint8Array]> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited) yield [field, reader.bytes()];
    else reader.skip(wireType, field);
  }
}
