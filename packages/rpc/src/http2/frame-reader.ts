import { errorCode, frameFlag, frameHeadBytes, frameType, Http2Violation, maxPayloadBytes } from "./frame.ts";
import { throwLater } from "./tell.ts";

/**
 * Gets each frame: DATA without padding as it arrives, perhaps as several frames of which only the last ends the stream,
 * all others whole. The payload is a view of what arrived, or memory of its own.
 */
export type FrameSink = (type: number, flags: number, streamId: number, payload: Buffer) => void;

const noBytes = Buffer.alloc(0);

/** A DATA frame of which a part was passed on. */
interface PartialData {
  readonly id: number;
  readonly flags: number;
  /** Bytes that are still to come. */
  left: number;
}

/** Cuts the bytes of a connection into frames, wherever the chunks are split. */
export class FrameReader {
  readonly #sink: FrameSink;
  #isFirst = true;
  /** A frame that has not wholly arrived: its bytes, the head among them. */
  #partial: Buffer = noBytes;
  #have = 0;
  #data: PartialData | undefined;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Takes the next bytes. Throws Http2Violation for a frame that is too large, and for a first one that is no SETTINGS. */
  push(chunk: Buffer): void {
    let at = this.#data === undefined ? 0 : this.#pass(this.#data, chunk, 0);
    if (this.#have > 0) at = this.#continue(chunk);
    while (chunk.length - at >= frameHeadBytes) {
      const end = at + this.#frameBytes(chunk, at);
      if (end > chunk.length) break;
      this.#deliver(chunk, at, end);
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk, at);
  }

  #deliver(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3] ?? 0;
    const flags = bytes[at + 4] ?? 0;
    this.#tell(type, flags, streamIdAt(bytes, at), bytes.subarray(at + frameHeadBytes, end));
  }

  /** Whoever hears of a frame may fail, which must not cost the frames behind it, that may be for others. */
  #tell(type: number, flags: number, streamId: number, payload: Buffer): void {
    try {
      this.#sink(type, flags, streamId, payload);
    } catch (error) {
      if (error instanceof Http2Violation) throw error;
      throwLater(error);
    }
  }

  /** Passes on what has come of a DATA frame, without a copy; answers the position behind it. */
  #pass(data: PartialData, chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + data.left);
    data.left -= end - at;
    if (data.left === 0) this.#data = undefined;
    const flags = data.left === 0 ? data.flags : data.flags & ~frameFlag.endStream;
    this.#tell(frameType.data, flags, data.id, chunk.subarray(at, end));
    return end;
  }

  /** The length of the frame whose head is at a position. */
  #frameBytes(bytes: Buffer, at: number): number {
    if (this.#isFirst && bytes[at + 3] !== frameType.settings) {
      throw new Http2Violation(errorCode.protocolError, "it does not begin with SETTINGS");
    }
    this.#isFirst = false;
    const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    if (length > maxPayloadBytes) {
      throw new Http2Violation(
        errorCode.frameSizeError,
        `a frame has ${length} bytes, the maximum is ${maxPayloadBytes}`,
      );
    }
    return frameHeadBytes + length;
  }

  #keep(chunk: Buffer, at: number): void {
    const rest = chunk.length - at;
    const whole = rest < frameHeadBytes ? frameHeadBytes : this.#frameBytes(chunk, at);
    const flags = chunk[at + 4] ?? 0;
    if (rest > frameHeadBytes && chunk[at + 3] === frameType.data && (flags & frameFlag.padded) === 0) {
      const data = { id: streamIdAt(chunk, at), flags, left: whole - frameHeadBytes };
      this.#data = data;
      this.#pass(data, chunk, at + frameHeadBytes);
      return;
    }
    this.#partial = Buffer.allocUnsafeSlow(whole);
    this.#have = chunk.copy(this.#partial, 0, at);
  }

  /** Completes the partial frame; answers how many bytes of the chunk that took. */
  #continue(chunk: Buffer): number {
    let at = this.#fill(chunk, 0);
    if (this.#have < this.#partial.length) return at;
    if (this.#have === frameHeadBytes) {
      const whole = this.#frameBytes(this.#partial, 0);
      if (whole > frameHeadBytes) {
        const head = this.#partial;
        this.#partial = Buffer.allocUnsafeSlow(whole);
        head.copy(this.#partial);
        at = this.#fill(chunk, at);
        if (this.#have < whole) return at;
      }
    }
    const frame = this.#partial;
    this.#partial = noBytes;
    this.#have = 0;
    this.#deliver(frame, 0, frame.length);
    return at;
  }

  #fill(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#partial, this.#have, at, at + this.#partial.length - this.#have);
    this.#have += copied;
    return at + copied;
  }
}

function streamIdAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
}
