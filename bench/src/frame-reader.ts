/** Splits a stream of unmasked frames (RFC 6455 section 5.2) into their payloads. */
export class FrameReader {
  readonly #onFrame: (opcode: number, payload: Buffer) => void;
  /** The begun frame that the last bytes ended in. */
  #begun: Buffer | undefined;

  /** `onFrame` gets each frame; its payload is only good until it returns. */
  constructor(onFrame: (opcode: number, payload: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes. */
  push(bytes: Buffer): void {
    const all = this.#begun === undefined ? bytes : Buffer.concat([this.#begun, bytes]);
    let at = 0;
    for (;;) {
      const header = headerLength(all, at);
      if (header === undefined) break;
      const end = at + header + payloadLength(all, at);
      if (end > all.length) break;
      this.#onFrame((all[at] ?? 0) & 0x0f, all.subarray(at + header, end));
      at = end;
    }
    this.#begun = at === all.length ? undefined : Buffer.from(all.subarray(at));
  }
}

/** Undefined where the header has not come whole. */
function headerLength(bytes: Buffer, at: number): number | undefined {
  const short = (bytes[at + 1] ?? 0) & 0x7f;
  const length = short < 126 ? 2 : short === 126 ? 4 : 10;
  return bytes.length < at + length ? undefined : length;
}

function payloadLength(bytes: Buffer, at: number): number {
  const short = (bytes[at + 1] ?? 0) & 0x7f;
  if (short < 126) return short;
  return short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
}
