import { isUtf8 } from "node:buffer";
import { RpcError } from "../error.ts";

const empty = Buffer.alloc(0);
const quote = 0x22;
const backslash = 0x5c;

/**
 * Splits a stream of bytes into the JSON texts that stand in it one after the other, with or without white
 * space between them; where the bytes were cut has no meaning. It only finds the ends of the texts: whether
 * they are JSON, the parser behind it says.
 *
 * Throws RpcError `json_invalid` for a text over `maxBytes` or one that is not UTF-8; it is of no use after that.
 */
export class JsonSplitter {
  readonly #maxBytes: number;
  readonly #found: (text: string) => unknown;
  /** The beginning of a text whose end has not come; grows by doubling, so that tiny pieces cost no more. */
  #held: Buffer = empty;
  #heldBytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** In a number, `true`, `false` or `null` outside of all brackets: its end is only seen by what follows. */
  #inBare = false;
  /** What came behind a text with which `found` had enough. */
  #rest: Buffer | undefined;

  /**
   * `found` is called synchronously with each whole text; where it answers false, the splitter stops there until
   * `resume`. `maxBytes` bounds one text, white space excluded.
   */
  constructor(maxBytes: number, found: (text: string) => unknown) {
    this.#maxBytes = maxBytes;
    this.#found = found;
  }

  /** Whether a text has begun that has not ended. */
  get partial(): boolean {
    return this.#heldBytes > 0;
  }

  /** Splits what came. Answers whether to go on: after false, let nothing more come until `resume`. */
  push(chunk: Buffer): boolean {
    if (this.#rest === undefined) return this.#split(chunk);
    this.#rest = Buffer.concat([this.#rest, chunk]);
    return false;
  }

  /** Goes on after `found` had enough; answers as `push`. */
  resume(): boolean {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest === undefined || this.#split(rest);
  }

  #split(chunk: Buffer): boolean {
    let start = this.#heldBytes > 0 ? 0 : -1;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === backslash) this.#escaped = true;
        else if (byte === quote) {
          this.#inString = false;
          if (this.#depth === 0) {
            if (!this.#emit(chunk, start, at + 1)) return false;
            start = -1;
          }
        }
        continue;
      }
      if (this.#inBare) {
        if (!endsBare(byte)) continue;
        this.#inBare = false;
        if (!this.#emit(chunk, start, at)) return false;
        start = -1;
      }
      switch (byte) {
        case 0x20: // white space
        case 0x0a:
        case 0x0d:
        case 0x09:
          break;
        case quote:
          if (start < 0) start = at;
          this.#inString = true;
          break;
        case 0x7b: // { [
        case 0x5b:
          if (start < 0) start = at;
          this.#depth++;
          break;
        case 0x7d: // } ]
        case 0x5d:
          if (start < 0) start = at;
          if (this.#depth > 0) this.#depth--;
          if (this.#depth === 0) {
            if (!this.#emit(chunk, start, at + 1)) return false;
            start = -1;
          }
          break;
        default:
          if (start >= 0) break;
          start = at;
          this.#inBare = true;
      }
    }
    if (start >= 0) this.#hold(chunk.subarray(start));
    return true;
  }

  /**
   * The stream has ended, which must not be said while it waits for `resume`: a number or word at its end is a
   * text. Throws if a text has begun and not ended.
   */
  end(): void {
    if (this.#inBare) {
      this.#inBare = false;
      this.#emit(empty, 0, 0);
    }
    if (this.#heldBytes > 0) throw new RpcError("json_invalid", "the JSON text ends in the middle");
  }

  #emit(chunk: Buffer, start: number, end: number): boolean {
    let bytes = chunk.subarray(start, end);
    if (this.#heldBytes > 0) {
      this.#hold(bytes);
      bytes = this.#held.subarray(0, this.#heldBytes);
      this.#held = empty;
      this.#heldBytes = 0;
    } else {
      this.#checkSize(bytes.length);
    }
    if (!isUtf8(bytes)) throw new RpcError("json_invalid", "the JSON text is not valid UTF-8");
    if (this.#found(bytes.toString("utf8")) !== false) return true;
    this.#rest = chunk.subarray(end);
    return false;
  }

  #hold(part: Buffer): void {
    const size = this.#heldBytes + part.length;
    this.#checkSize(size);
    if (size > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(size, Math.min(this.#held.length * 2, this.#maxBytes)));
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    part.copy(this.#held, this.#heldBytes);
    this.#heldBytes = size;
  }

  #checkSize(size: number): void {
    if (size > this.#maxBytes) {
      throw new RpcError(
        "message_too_large",
        `a JSON text is larger than the limit of ${this.#maxBytes} bytes`,
      );
    }
  }
}

function endsBare(byte: number): boolean {
  return byte <= 0x20 || byte === quote || byte === 0x7b || byte === 0x5b || byte === 0x7d || byte === 0x5d;
}
