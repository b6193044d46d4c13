import {
  errorCode,
  frameFlag,
  frameType,
  Http2Violation,
  maxPayloadBytes,
  violation,
  withoutPadding,
} from "./frame.ts";
import { HeaderDecoder } from "./header-decoder.ts";

/** Frames that one block of headers may have; each can be empty. */
const mostFrames = 100;

/** A block whose end has not arrived. */
interface Block {
  readonly streamId: number;
  readonly isLast: boolean;
  /** Copies, because the memory of what was read is used again. */
  readonly parts: Buffer[];
  bytes: number;
}

/** Gets a list of headers, names and values in turn; undefined for one that is too large. */
export type HeaderSink = (streamId: number, fields: readonly string[] | undefined, isLast: boolean) => void;

/** Makes lists of headers of the frames HEADERS and CONTINUATION of a connection. */
export class HeaderReader {
  readonly #maxBytes: number;
  readonly #sink: HeaderSink;
  readonly #decoder: HeaderDecoder;
  #block: Block | undefined;

  /** `maxBytes` bounds a list, each header counted as name, value and 32 more. */
  constructor(maxBytes: number, sink: HeaderSink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
    this.#decoder = new HeaderDecoder(maxBytes);
  }

  /** Throws Http2Violation for a frame that comes between those of a block. */
  check(type: number, streamId: number): void {
    if (this.#block === undefined) return;
    if (type !== frameType.continuation || streamId !== this.#block.streamId) {
      throw violation("a block of headers is interrupted");
    }
  }

  /** Takes a HEADERS frame. Throws Http2Violation. */
  begin(flags: number, streamId: number, payload: Buffer): void {
    const part = withoutPadding(flags, payload, (flags & frameFlag.priority) === 0 ? 0 : 5);
    const isLast = (flags & frameFlag.endStream) !== 0;
    if ((flags & frameFlag.endHeaders) === 0) {
      this.#block = { streamId, isLast, parts: [Buffer.from(part)], bytes: part.length };
    } else {
      this.#sink(streamId, this.#decoder.decode(part), isLast);
    }
  }

  /** Takes a CONTINUATION frame. Throws Http2Violation. */
  continue(flags: number, payload: Buffer): void {
    const block = this.#block;
    if (block === undefined) throw violation("a block of headers goes on that did not begin");
    block.parts.push(Buffer.from(payload));
    block.bytes += payload.length;
    // A block is not larger than the list that it makes, but for its references to tables, which are short.
    if (block.bytes > this.#maxBytes + maxPayloadBytes || block.parts.length > mostFrames) {
      throw new Http2Violation(errorCode.enhanceYourCalm, "a block of headers is too large");
    }
    if ((flags & frameFlag.endHeaders) === 0) return;
    this.#block = undefined;
    this.#sink(block.streamId, this.#decoder.decode(Buffer.concat(block.parts)), block.isLast);
  }
}
