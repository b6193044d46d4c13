import { randomBytes } from "node:crypto";

/** A message of `Echo.Converse`. */
export interface Note {
  readonly text: string;
  /** As protobuf. */
  readonly bytes: Buffer;
}

/** The one field of `Note`: number 1, length-delimited. */
const fieldKey = 0x0a;

/** Different notes of so many bytes each, as protobuf. */
export function createNotes(count: number, bytes: number): readonly Note[] {
  return Array.from({ length: count }, () => createNote(bytes));
}

function createNote(bytes: number): Note {
  for (let lengthBytes = 1; ; lengthBytes++) {
    const length = bytes - 1 - lengthBytes;
    const prefix = varint(length);
    if (prefix.length !== lengthBytes) continue;
    const text = randomBytes(length).toString("base64url").slice(0, length);
    return { text, bytes: Buffer.concat([Buffer.from([fieldKey]), prefix, Buffer.from(text)]) };
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 0x80) return Buffer.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}
