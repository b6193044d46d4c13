/** What pieces are copied into grows up to this. */
const MAX_BLOCK_BYTES = 64 * 1024;

/** A message whose size is known gets its memory once this part of it has come. */
const TRUSTED_SHARE = 1 / 8;

/**
 * Collects the pieces of one message. However small they are, what is kept is at most twice their bytes and one
 * block; where the sender has told the message's size, at most eight times what it has sent. Each byte is copied at
 * most twice, and mostly while it is still in the processor's cache.
 */
export class Gather {
  #parts: Buffer[] = [];
  #bytes = 0;
  #block: Buffer | undefined;
  #blockLength = 0;
  /** The whole message's memory. */
  #whole: Buffer | undefined;
  readonly #expected: number;

  /** `expected` is the message's size, where the sender has told it; 0 where not. */
  constructor(expected: number) {
    this.#expected = expected;
  }

  /** Adds a copy of a piece. */
  add(piece: Buffer): void {
    const start = this.#bytes;
    this.#bytes += piece.length;
    if (this.#whole !== undefined) {
      piece.copy(this.#whole, start);
      return;
    }
    let from = 0;
    while (from < piece.length) from += this.#copy(piece, from);
    if (this.#bytes >= this.#expected * TRUSTED_SHARE && this.#bytes < this.#expected) this.#settle();
  }

  /** Everything in one buffer. Nothing may be added after. */
  take(): Buffer {
    if (this.#whole !== undefined) return this.#whole;
    this.#seal();
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#bytes);
  }

  #settle(): void {
    this.#seal();
    const whole = Buffer.allocUnsafeSlow(this.#expected);
    let at = 0;
    for (const part of this.#parts) at += part.copy(whole, at);
    this.#whole = whole;
    this.#parts = [];
  }

  #copy(piece: Buffer, from: number): number {
    const needed = this.#blockLength + piece.length - from;
    if (this.#block === undefined) {
      this.#block = Buffer.allocUnsafeSlow(Math.min(MAX_BLOCK_BYTES, Math.max(256, needed)));
    } else if (this.#blockLength === this.#block.length) {
      if (this.#block.length === MAX_BLOCK_BYTES) {
        this.#seal();
        return 0;
      }
      const larger = Buffer.allocUnsafeSlow(
        Math.min(MAX_BLOCK_BYTES, Math.max(this.#block.length * 2, needed)),
      );
      this.#block.copy(larger);
      this.#block = larger;
    }
    const copied = piece.copy(this.#block, this.#blockLength, from);
    this.#blockLength += copied;
    return copied;
  }

  #seal(): void {
    if (this.#block === undefined) return;
    this.#parts.push(this.#block.subarray(0, this.#blockLength));
    this.#block = undefined;
    this.#blockLength = 0;
  }
}
