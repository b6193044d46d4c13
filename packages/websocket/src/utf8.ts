import { isUtf8 } from "node:buffer";

/** Below this a loop that looks for plain ASCII is faster than the call of `isUtf8`. */
const NATIVE_FROM_BYTES = 24;

/** Whether bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF). */
export function isValidUtf8(data: Buffer): boolean {
  const { length } = data;
  if (length >= NATIVE_FROM_BYTES) return isUtf8(data);
  for (let index = 0; index < length; index++) {
    if (data[index]! > 0x7f) return isUtf8(data);
  }
  return true;
}

/**
 * Checks a text that arrives in pieces, cut anywhere. An error is found with the first byte that no
 * continuation could mend. One object serves many texts, one after the other.
 */
export class Utf8Checker {
  /** Continuation bytes that the character at the cut still needs. */
  #missing = 0;
  /** The bounds of the next of them. */
  #low = 0x80;
  #high = 0xbf;

  /** Takes the next piece; false when the text is not UTF-8, whatever follows. */
  push(piece: Buffer): boolean {
    let start = 0;
    while (this.#missing > 0 && start < piece.length) {
      if (!this.#continuation(piece[start++]!)) return false;
    }
    const cut = startOfLastCharacter(piece, start);
    if (
      cut > start &&
      !isValidUtf8(start === 0 && cut === piece.length ? piece : piece.subarray(start, cut))
    ) {
      return false;
    }
    for (let index = cut; index < piece.length; index++) {
      const byte = piece[index]!;
      if (!(this.#missing === 0 ? this.#lead(byte) : this.#continuation(byte))) return false;
    }
    return true;
  }

  /** Ends the text; false when it stops inside a character. Ready for the next text after. */
  end(): boolean {
    const complete = this.#missing === 0;
    this.#missing = 0;
    this.#low = 0x80;
    this.#high = 0xbf;
    return complete;
  }

  #continuation(byte: number): boolean {
    if (byte < this.#low || byte > this.#high) return false;
    this.#missing--;
    this.#low = 0x80;
    this.#high = 0xbf;
    return true;
  }

  /** The lead byte decides how many follow, and narrows the first of them (Unicode table 3-7). */
  #lead(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return byte < 0x80;
    this.#missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte === 0xe0) this.#low = 0xa0;
    else if (byte === 0xed) this.#high = 0x9f;
    else if (byte === 0xf0) this.#low = 0x90;
    else if (byte === 0xf4) this.#high = 0x8f;
    return true;
  }
}

/** Where the incomplete character at the end begins, or the length where the piece ends with a whole one. */
function startOfLastCharacter(piece: Buffer, start: number): number {
  const { length } = piece;
  const first = Math.max(start, length - 3);
  for (let index = length - 1; index >= first; index--) {
    const byte = piece[index]!;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) {
      const size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return index + size > length ? index : length;
    }
  }
  return length;
}
