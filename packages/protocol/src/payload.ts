import { FRAME_HEADER_BYTES } from "./frame.ts";
import { ProtocolError } from "./protocol-error.ts";

// Globals that every platform has; declared here, because the package's types know no platform.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  label: string,
  options: { readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

/** Text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Puts a frame together, which is longer than any maximum where what is put in is. */
export class PayloadWriter {
  // A small one is within the heap of V8, where it costs next to nothing, and CREDIT needs no more.
  #bytes: Uint8Array = new Uint8Array(32);
  #at: number = FRAME_HEADER_BYTES;

  u8(value: number): this {
    this.#reserve(1)[this.#at++] = value;
    return this;
  }

  u16(value: number): this {
    return this.u8(value >> 8).u8(value);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value);
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length).set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  bytes16(bytes: Uint8Array): this {
    return this.u16(bytes.length).raw(bytes);
  }

  text16(text: string): this {
    return this.bytes16(utf8(text));
  }

  text8(text: string): this {
    const bytes = utf8(text);
    return this.u8(bytes.length).raw(bytes);
  }

  /** The whole frame, with its header. */
  frame(type: number, call: number): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#at);
    writeFrameHeader(bytes, 0, type, 0, bytes.length - FRAME_HEADER_BYTES, call);
    return bytes;
  }

  #reserve(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) {
      const larger = new Uint8Array((this.#at + count) * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

/** Writes the eight bytes of a frame's header. */
export function writeFrameHeader(
  bytes: Uint8Array,
  at: number,
  type: number,
  flags: number,
  length: number,
  call: number,
): void {
  bytes[at] = type;
  bytes[at + 1] = flags;
  bytes[at + 2] = length >> 8;
  bytes[at + 3] = length;
  bytes[at + 4] = call >> 24;
  bytes[at + 5] = call >> 16;
  bytes[at + 6] = call >> 8;
  bytes[at + 7] = call;
}

/** Reads a payload from its beginning; throws a `ProtocolError` where it is too short. */
export class PayloadReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that were not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  u32(): number {
    return ((this.u16() << 16) | this.u16()) >>> 0;
  }

  raw(count: number): Uint8Array {
    const from = this.#take(count);
    return this.#bytes.subarray(from, this.#at);
  }

  bytes16(): Uint8Array {
    return this.raw(this.u16());
  }

  /** Text of so many bytes of UTF-8; what is none becomes U+FFFD. */
  text(count: number): string {
    return decoder.decode(this.raw(count));
  }

  text16(): string {
    return this.text(this.u16());
  }

  text8(): string {
    return this.text(this.u8());
  }

  #take(count: number): number {
    if (this.left < count) throw new ProtocolError("a frame that ends before its fields");
    this.#at += count;
    return this.#at - count;
  }
}
