import { isUtf8 } from "node:buffer";
import type { RpcError } from "../../error.ts";
import { createCodecError } from "../codec-error.ts";
import { maximumDepth } from "../message-codec.ts";
import type { Ranges } from "./ranges.ts";

const noBytes = Buffer.alloc(0);

/** What a byte of a string needs on its way into JSON: what is not ASCII is decoded, some of ASCII is escaped. */
const decoding = 1;
const escaping = 2;
const needsOf = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte > 0x7f) return decoding;
  return byte < 0x20 || byte === 0x22 || byte === 0x5c ? escaping : 0;
});

/**
 * Reads protobuf bytes as pieces of JSON text.
 *
 * A reader is at `pos`, inside a message that ends at the `end` that the methods are given. None of them checks
 * `end` where a wrong position is noticed anyway: `next` is asked at the end of every message.
 * Source: https://protobuf.dev/programming-guides/encoding
 */
export class WireReader {
  pos = 0;
  /** The words of the last 64-bit integer. */
  lo = 0;
  hi = 0;
  #bytes: Buffer = noBytes;
  /** All bytes as characters, made when the first string is read: cutting it is cheaper than decoding. */
  #characters = "";
  #typeName = "";

  /** Begins to read a message; answers where it ends. */
  start(bytes: Uint8Array, typeName: string): number {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#typeName = typeName;
    this.pos = 0;
    return bytes.byteLength;
  }

  /** Lets go of the bytes. */
  finish(): void {
    this.#bytes = noBytes;
    this.#characters = "";
  }

  fail(what: string): RpcError {
    return createCodecError("protobuf_invalid", `${this.#typeName}: ${what} (byte ${this.pos})`);
  }

  /**
   * At the end of a range: answers the end of the next range that has content and goes there, or 0 after the
   * last one.
   */
  next(end: number, more?: Ranges): number {
    if (this.pos !== end) throw this.#truncated();
    if (more === undefined) return 0;
    while (more.advance()) {
      this.pos = more.start;
      if (more.start < more.end) return more.end;
    }
    return 0;
  }

  /** Refuses messages that are nested too deep. */
  enter(depth: number): void {
    if (depth > maximumDepth) throw this.fail(`nested deeper than ${maximumDepth} messages`);
  }

  /** The number and wire type of a field, as they stand on the wire. */
  tag(): number {
    const first = this.#bytes[this.pos];
    if (first !== undefined && first < 0x80) {
      this.pos++;
      if (first < 8 || (first & 7) > 5) throw this.fail("no such field or wire type");
      return first;
    }
    const start = this.pos;
    const tag = this.uint32();
    const size = this.pos - start;
    if (size > 5 || (size === 5 && (this.#bytes[start + 4] ?? 0) > 0x0f) || tag < 8 || (tag & 7) > 5) {
      throw this.fail("no such field or wire type");
    }
    return tag;
  }

  uint32(): number {
    const first = this.#bytes[this.pos];
    if (first !== undefined && first < 0x80) {
      this.pos++;
      return first;
    }
    this.varint64();
    return this.lo >>> 0;
  }

  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const zigzag = this.uint32();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  bool(): boolean {
    const first = this.#bytes[this.pos];
    if (first !== undefined && first < 0x80) {
      this.pos++;
      return first !== 0;
    }
    this.varint64();
    return (this.lo | this.hi) !== 0;
  }

  /** Reads a varint of up to ten bytes into `lo` and `hi`. */
  varint64(): void {
    const bytes = this.#bytes;
    let at = this.pos;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw this.#truncated();
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >> 4;
      } else if (shift < 63) hi |= bits << (shift - 32);
      else hi |= bits << 31;
      if (byte < 0x80) {
        this.pos = at;
        this.lo = lo;
        this.hi = hi;
        return;
      }
    }
    throw this.fail("a varint has more than ten bytes");
  }

  /** Undoes the zigzag of a sint64 that `varint64` has read. */
  unzigzag(): void {
    const sign = -(this.lo & 1);
    this.lo = ((this.lo >>> 1) | (this.hi << 31)) ^ sign;
    this.hi = (this.hi >>> 1) ^ sign;
  }

  fixed32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  sfixed32(): number {
    return this.#bytes.readInt32LE(this.#advance(4));
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#advance(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  /** Reads eight bytes into `lo` and `hi`. */
  fixed64(): void {
    const at = this.#advance(8);
    this.lo = this.#bytes.readInt32LE(at);
    this.hi = this.#bytes.readInt32LE(at + 4);
  }

  #advance(size: number): number {
    const at = this.pos;
    this.pos += size;
    if (this.pos > this.#bytes.length) throw this.#truncated();
    return at;
  }

  /** Goes past the length of what has one; answers where that ends, which is not after `end`. */
  block(end: number): number {
    const stop = this.uint32() + this.pos;
    if (stop > end) throw this.#truncated();
    return stop;
  }

  /** The JSON text of a string field; of one that is not UTF-8 only where that is not `checked`. */
  string(end: number, checked: boolean): string {
    const stop = this.block(end);
    const bytes = this.#bytes;
    const start = this.pos;
    this.pos = stop;
    let needs = 0;
    for (let at = start; at < stop; at++) needs |= needsOf[bytes[at] as number] as number;
    if (needs >= escaping) return JSON.stringify(this.#decode(start, stop, checked));
    if (needs === decoding) return '"' + this.#decode(start, stop, checked) + '"';
    if (this.#characters === "") this.#characters = bytes.toString("latin1");
    return '"' + this.#characters.slice(start, stop) + '"';
  }

  /** A string field as it is. */
  text(end: number): string {
    const stop = this.block(end);
    const start = this.pos;
    this.pos = stop;
    return this.#decode(start, stop, true);
  }

  #decode(start: number, stop: number, checked: boolean): string {
    const text = this.#bytes.toString("utf8", start, stop);
    // Decoding puts U+FFFD for what is wrong, so without one nothing was.
    if (checked && text.includes("\ufffd") && !isUtf8(this.#bytes.subarray(start, stop))) {
      throw this.fail("a string is not UTF-8");
    }
    return text;
  }

  /** The JSON text of a bytes field: standard base64 with padding. */
  base64(end: number): string {
    const stop = this.block(end);
    const start = this.pos;
    this.pos = stop;
    return this.base64Of(start, stop);
  }

  base64Of(start: number, stop: number): string {
    return '"' + this.#bytes.toString("base64", start, stop) + '"';
  }

  /** Goes past a field that nobody wants. */
  skip(tag: number, end: number, depth: number): void {
    switch (tag & 7) {
      case 0:
        this.varint64();
        break;
      case 1:
        this.pos += 8;
        break;
      case 2:
        this.pos = this.block(end);
        break;
      case 3:
        this.group(tag >>> 3, end, depth + 1);
        break;
      case 5:
        this.pos += 4;
        break;
      default:
        throw this.fail("a group ends that has not begun");
    }
    if (this.pos > end) throw this.#truncated();
  }

  /** Goes past a group, whose start tag was read; answers where its content ends. */
  group(number: number, end: number, depth: number): number {
    this.enter(depth);
    while (this.pos < end) {
      const stop = this.pos;
      const tag = this.tag();
      if ((tag & 7) === 4) {
        if (tag >>> 3 !== number) throw this.fail("a group ends that has not begun");
        return stop;
      }
      this.skip(tag, end, depth);
    }
    throw this.#truncated();
  }

  #truncated(): RpcError {
    return this.fail("the message ends inside a field");
  }
}
