import { JsonFault } from "./json-fault.ts";

/** What a scalar that follows a tag needs at most: ten bytes, and five for the tag itself. */
const scalarRoom = 16;
const initialSize = 4096;
/** A buffer that grew beyond this is not kept for the next message. */
const keptSize = 1 << 20;
/** Up to here a loop over the characters beats a call into the runtime. */
const shortString = 24;
const maximumGuess = 1 << 16;

function sizeOfVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/**
 * Writes protobuf bytes into a buffer that grows and is used again.
 *
 * A scalar needs the room that `tag` makes, or `room`. What has a length is written between `open` and `close`.
 * Source: https://protobuf.dev/programming-guides/encoding
 */
export class WireWriter {
  /** The words of the 64-bit integer that is written next. */
  lo = 0;
  hi = 0;
  #bytes: Buffer = Buffer.allocUnsafeSlow(initialSize);
  #pos = 0;

  start(): void {
    this.#pos = 0;
  }

  /** The bytes written, for the caller to keep. */
  finish(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.#pos);
    this.#bytes.copy(bytes, 0, 0, this.#pos);
    if (this.#bytes.length > keptSize) this.#bytes = Buffer.allocUnsafeSlow(initialSize);
    return bytes;
  }

  room(size: number = scalarRoom): void {
    if (this.#pos + size <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#pos + size));
    this.#bytes.copy(grown, 0, 0, this.#pos);
    this.#bytes = grown;
  }

  /** Writes a field's number and wire type, and makes room for a scalar. */
  tag(tag: number): void {
    this.room();
    if (tag < 0x80) this.#bytes[this.#pos++] = tag;
    else this.uint32(tag);
  }

  uint32(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    while (rest > 0x7f) {
      bytes[this.#pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.#pos++] = rest;
  }

  int32(value: number): void {
    if (value >= 0) {
      this.uint32(value);
      return;
    }
    this.lo = value;
    this.hi = -1;
    this.varint64();
  }

  sint32(value: number): void {
    this.uint32(((value << 1) ^ (value >> 31)) >>> 0);
  }

  bool(value: boolean): void {
    this.#bytes[this.#pos++] = value ? 1 : 0;
  }

  fixed32(value: number): void {
    this.#pos = this.#bytes.writeUInt32LE(value, this.#pos);
  }

  sfixed32(value: number): void {
    this.#pos = this.#bytes.writeInt32LE(value, this.#pos);
  }

  float(value: number): void {
    this.#pos = this.#bytes.writeFloatLE(value, this.#pos);
  }

  double(value: number): void {
    this.#pos = this.#bytes.writeDoubleLE(value, this.#pos);
  }

  /** Writes `lo` and `hi` as a varint. */
  varint64(): void {
    const bytes = this.#bytes;
    let { lo, hi } = this;
    while (hi !== 0 || lo >>> 0 > 0x7f) {
      bytes[this.#pos++] = (lo & 0x7f) | 0x80;
      lo = (lo >>> 7) | (hi << 25);
      hi >>>= 7;
    }
    bytes[this.#pos++] = lo;
  }

  /** Writes `lo` and `hi` as the varint of a sint64. */
  zigzag64(): void {
    const sign = this.hi >> 31;
    this.hi = ((this.hi << 1) | (this.lo >>> 31)) ^ sign;
    this.lo = (this.lo << 1) ^ sign;
    this.varint64();
  }

  /** Writes `lo` and `hi` as eight bytes. */
  fixed64(): void {
    this.#bytes.writeInt32LE(this.lo | 0, this.#pos);
    this.#pos = this.#bytes.writeInt32LE(this.hi | 0, this.#pos + 4);
  }

  /** Writes a string with its length. Throws a JsonFault if it is not well-formed. */
  string(text: string): void {
    const { length } = text;
    if (length > shortString) {
      this.#longString(text);
      return;
    }
    this.room(length + 1);
    const bytes = this.#bytes;
    const start = this.#pos + 1;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) {
        this.#longString(text);
        return;
      }
      bytes[start + at] = code;
    }
    bytes[this.#pos] = length;
    this.#pos = start + length;
  }

  #longString(text: string): void {
    const { length } = text;
    // A character has at most three bytes; of a long string it is worth to know better.
    this.room((length < maximumGuess ? length * 3 : Buffer.byteLength(text)) + 5);
    // Most text is ASCII, and has a length in bytes that is known before.
    const start = this.#pos + sizeOfVarint(length);
    const size = this.#bytes.write(text, start);
    if (size !== length) {
      if (!(text as string & { isWellFormed(): boolean }).isWellFormed()) {
        throw new JsonFault("the string has half of a surrogate pair");
      }
      this.#bytes.copyWithin(this.#pos + sizeOfVarint(size), start, start + size);
    }
    this.uint32(size);
    this.#pos += size;
  }

  /** Writes the bytes of base64 text, in either alphabet and with or without padding, with their length. */
  base64(text: string): void {
    const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
    const digits = text.length - padding;
    if (digits % 4 === 1 || (padding > 0 && text.length % 4 !== 0) || !/^[\w+/-]*={0,2}$/.test(text)) {
      throw new JsonFault("expected base64");
    }
    const size = Math.floor((digits * 3) / 4);
    this.room(size + 5);
    this.uint32(size);
    this.#pos += this.#bytes.write(text, this.#pos, "base64");
  }

  /** Begins what has a length; answers its start, for `close`. */
  open(): number {
    this.room();
    // One byte for the length, as most need; `close` makes room for a longer one.
    return ++this.#pos;
  }

  close(start: number): void {
    const size = this.#pos - start;
    if (size < 0x80) {
      this.#bytes[start - 1] = size;
      return;
    }
    this.room();
    this.#bytes.copyWithin(start - 1 + sizeOfVarint(size), start, this.#pos);
    this.#pos = start - 1;
    this.uint32(size);
    this.#pos += size;
  }

  /** Takes back what is empty: the tag and length of the message that began at `start`, if it has no content. */
  dropEmpty(start: number, tagSize: number): void {
    if (this.#pos === start) this.#pos = start - 1 - tagSize;
    else this.close(start);
  }
}
