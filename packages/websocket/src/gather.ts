/** A piece of at least this many bytes is kept as it is; smaller ones are copied together. */
const KEEP_BYTES = 8 * 1024;
/** What small pieces are copied into grows up to this. */
const MAX_BLOCK_BYTES = 64 * 1024;

/**
 * Collects the pieces of one message. However small they are, what is kept is at most twice their bytes and one
 * block, and each byte is copied at most twice.
 */
export class Gather {
  #parts: Buffer[] = [];
  #bytes = 0;
  #block: Buffer | undefined;
  #blockLength = 0;

  /** Bytes collected. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a piece, which belongs to the collection from here on. */
  add(piece: Buffer): void {
    this.#bytes += piece.length;
    // A large piece of a much larger read would keep all of that read.
    if (piece.length >= KEEP_BYTES && piece.length * 2 >= piece.buffer.byteLength) {
      this.#seal();
      this.#parts.push(piece);
      return;
    }
    let from = 0;
    while (from < piece.length) from += this.#copy(piece, from);
  }

  /** Everything in one buffer. The collection is empty after. */
  take(): Buffer {
    this.#seal();
    const parts = this.#parts;
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts, this.#bytes);
    this.clear();
    return all;
  }

  /** Forgets everything. */
  clear(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#block = undefined;
    this.#blockLength = 0;
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
