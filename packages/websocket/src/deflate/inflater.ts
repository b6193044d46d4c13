import * as zlib from "node:zlib";
import { WebSocketError } from "../error.ts";
import type { AgreedCompression } from "./negotiation.ts";
import { ZlibCodec } from "./zlib-codec.ts";

/** Compressed messages of up to this many bytes are inflated at once. */
const SYNC_INPUT_BYTES = 16 * 1024;
/** A message that becomes larger than this while it is inflated at once goes on on a thread. */
const SYNC_OUTPUT_BYTES = 256 * 1024;
/** What the sender left away, RFC 7692 section 7.2.2. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** A small message with its tail, so that zlib is called once. */
const input = Buffer.allocUnsafeSlow(SYNC_INPUT_BYTES + TAIL.length);
const shared = new Map<number, ZlibCodec>();

/** What a compressed message becomes: its bytes, or why there are none. */
export type Inflated = Buffer | WebSocketError;

/** Inflates the messages of one connection, in order and within a limit (RFC 7692 section 7.2.2). */
export class Inflater {
  readonly #agreed: AgreedCompression;
  readonly #limit: number;
  readonly #windowBits: number;
  /** With context takeover, this connection's own. Made when it is first needed. */
  #own: ZlibCodec | undefined;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** `limit` is what one message may become, in bytes. */
  constructor(agreed: AgreedCompression, limit: number) {
    this.#agreed = agreed;
    this.#limit = limit;
    this.#windowBits = Math.max(9, agreed.peerWindowBits);
  }

  /**
   * Inflates one message. A small one is the result; otherwise that is undefined and `later` is told, and until then
   * nothing else may be inflated.
   */
  inflate(payload: Buffer, later: (inflated: Inflated) => void): Inflated | undefined {
    this.#clear();
    const alone = !this.#agreed.peerContextTakeover;
    if (payload.length > SYNC_INPUT_BYTES) return this.#onThread([payload, TAIL], later);
    const codec = this.#codec();
    if (!codec.synchronous) return this.#onThread([payload, TAIL], later);
    payload.copy(input);
    TAIL.copy(input, payload.length);
    const all = input.subarray(0, payload.length + TAIL.length);
    const result = this.#atOnce(codec, all);
    if (alone) codec.reset();
    if (result !== "stopped") return result;
    // The shared state is for others to use: the thread begins again. One's own goes on where it is.
    if (alone) return this.#onThread([payload, TAIL], later);
    const rest = Buffer.from(all.subarray(all.length - codec.inputLeft));
    return this.#onThread([rest], later, false);
  }

  #atOnce(codec: ZlibCodec, all: Buffer): Inflated | "stopped" {
    let rest = all;
    for (let fresh = false; ; fresh = true) {
      const result = codec.writeSync(rest, this.#takeSync);
      if (this.#bytes > this.#limit) return this.#tooBig();
      if (result === "stopped") return result;
      if (result === "failed") return broken();
      if (result === "done") return this.#result();
      // A block marked as the last one: what follows begins a new stream (section 7.2.3.4).
      const left = rest.subarray(rest.length - codec.inputLeft);
      if (fresh && left.length === rest.length) return broken();
      codec.reset();
      if (left.length <= TAIL.length) return this.#result();
      rest = left;
    }
  }

  readonly #takeSync = (part: Buffer): boolean => {
    this.#bytes += part.length;
    this.#parts.push(Buffer.from(part));
    return this.#bytes <= this.#limit && this.#bytes <= SYNC_OUTPUT_BYTES;
  };

  #onThread(inputs: readonly Buffer[], later: (inflated: Inflated) => void, anew = true): undefined {
    const { peerContextTakeover, pool } = this.#agreed;
    if (anew) this.#clear();
    pool.enter(() => {
      const codec = peerContextTakeover ? this.#codec() : createCodec(this.#windowBits);
      const take = (part: Buffer): boolean => {
        this.#bytes += part.length;
        this.#parts.push(part);
        return this.#bytes <= this.#limit;
      };
      codec.write(inputs, take, (ok) => {
        pool.done();
        if (!ok || !peerContextTakeover || codec.finished) {
          codec.close();
          if (this.#own === codec) this.#own = undefined;
        }
        if (this.#bytes > this.#limit) later(this.#tooBig());
        else later(ok ? this.#result() : broken());
      });
    });
  }

  /** Frees the memory. */
  close(): void {
    this.#own?.close();
  }

  #result(): Buffer {
    const parts = this.#parts;
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts, this.#bytes);
    this.#clear();
    return all;
  }

  #clear(): void {
    this.#parts = [];
    this.#bytes = 0;
  }

  #tooBig(): WebSocketError {
    this.#clear();
    return new WebSocketError("message_too_big", `a compressed message is larger than ${this.#limit} bytes`);
  }

  /** With context, this connection's own state; otherwise one for all. */
  #codec(): ZlibCodec {
    if (!this.#agreed.peerContextTakeover) return sharedCodec(this.#windowBits);
    if (this.#own === undefined || this.#own.finished) this.#own = createCodec(this.#windowBits);
    return this.#own;
  }
}

function createCodec(windowBits: number): ZlibCodec {
  return new ZlibCodec(zlib.createInflateRaw({ windowBits }));
}

function sharedCodec(windowBits: number): ZlibCodec {
  let codec = shared.get(windowBits);
  if (codec === undefined || codec.finished) {
    codec = createCodec(windowBits);
    shared.set(windowBits, codec);
  }
  return codec;
}

function broken(): WebSocketError {
  return new WebSocketError("payload_invalid", "a compressed message does not inflate");
}
