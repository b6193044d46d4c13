/** Counts the frames of a stream of unmasked ones without looking at what is inside. */
export class FrameCounter {
  #header = Buffer.alloc(10);
  #headerLength = 0;
  #remaining = 0;

  /** Whether the last byte seen was the last of a frame. */
  get betweenFrames(): boolean {
    return this.#headerLength === 0 && this.#remaining === 0;
  }

  /** Takes the next bytes and answers how many frames ended in them. */
  push(bytes: Buffer): number {
    let frames = 0;
    for (let at = 0; at < bytes.length;) {
      if (this.#remaining > 0) {
        const taken = Math.min(this.#remaining, bytes.length - at);
        at += taken;
        this.#remaining -= taken;
        if (this.#remaining === 0) frames++;
        continue;
      }
      this.#header[this.#headerLength++] = bytes[at++] ?? 0;
      const length = this.#payloadLength();
      if (length === undefined) continue;
      this.#headerLength = 0;
      this.#remaining = length;
      if (length === 0) frames++;
    }
    return frames;
  }

  #payloadLength(): number | undefined {
    if (this.#headerLength < 2) return undefined;
    const short = this.#header[1] ?? 0;
    if (short < 126) return short;
    if (short === 126) return this.#headerLength < 4 ? undefined : this.#header.readUInt16BE(2);
    return this.#headerLength < 10 ? undefined : this.#header.readUInt32BE(6);
  }
}
