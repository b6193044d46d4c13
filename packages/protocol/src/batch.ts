import { END_MESSAGE, FRAME_HEADER_BYTES, FrameType, MAX_CHUNK_BYTES } from "./frame.ts";
import { writeFrameHeader } from "./payload.ts";

/** Where one WebSocket message is put together: one whole chunk, many small frames, or one frame that is larger. */
export class Batch {
  readonly #bytes = new Uint8Array(FRAME_HEADER_BYTES + MAX_CHUNK_BYTES);
  #end = 0;
  #large: Uint8Array | undefined;

  get isEmpty(): boolean {
    return this.#end === 0;
  }

  /** Whether a frame of so many bytes may be added. */
  fits(length: number): boolean {
    return this.#end === 0 || this.#end + length <= this.#bytes.length;
  }

  /** Adds a frame that is encoded already. */
  add(frame: Uint8Array): void {
    if (frame.length > this.#bytes.length) this.#large = frame;
    else this.#bytes.set(frame, this.#end);
    this.#end += frame.length;
  }

  /** Adds a DATA frame with the bytes of `message` between `from` and `to`. */
  addChunk(call: number, message: Uint8Array, from: number, to: number): void {
    const flags = to === message.length ? END_MESSAGE : 0;
    const length = to - from;
    writeFrameHeader(this.#bytes, this.#end, FrameType.DATA, flags, length, call);
    this.#end += FRAME_HEADER_BYTES;
    this.#bytes.set(length === message.length ? message : message.subarray(from, to), this.#end);
    this.#end += length;
  }

  /** The WebSocket message, to be copied or written before the next `add`; the batch is empty then. */
  take(): Uint8Array {
    const message = this.#large ?? this.#bytes.subarray(0, this.#end);
    this.#large = undefined;
    this.#end = 0;
    return message;
  }
}
