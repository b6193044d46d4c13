import type { Socket } from "node:net";
import { frameFlag, frameHeadBytes, frameType, maxPayloadBytes, preface } from "./frame.ts";

/** From this size on a payload is passed on as it is: a copy would cost more than a further chunk. */
const largeBytes = 8 * 1024;

const firstBytes = 4 * 1024;
/** What a busy turn needed beyond this is not kept for the next one. */
const keptBytes = 64 * 1024;

/** Gathers frames, so that those of one turn leave in one write. */
export class FrameWriter {
  #chunks: Uint8Array[] = [];
  #bytes: Buffer = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;

  /** Says what a client says first. */
  begin(settings: readonly (readonly [id: number, value: number])[]): void {
    this.#text(preface);
    this.#head(frameType.settings, 0, 0, 6 * settings.length);
    for (const [id, value] of settings) {
      this.#uint16(id);
      this.#uint32(value);
    }
  }

  /** A block of headers, each byte a character; split where it is larger than a frame. */
  headers(streamId: number, block: string): void {
    let type: number = frameType.headers;
    for (let at = 0; at < block.length; at += maxPayloadBytes) {
      const part = block.slice(at, at + maxPayloadBytes);
      const flags = at + part.length === block.length ? frameFlag.endHeaders : 0;
      this.#head(type, flags, streamId, part.length);
      this.#text(part);
      type = frameType.continuation;
    }
  }

  /** The head of a DATA frame; `bytes` bytes have to follow, with `payload`. */
  data(streamId: number, bytes: number, isLast: boolean): void {
    this.#head(frameType.data, isLast ? frameFlag.endStream : 0, streamId, bytes);
  }

  payload(bytes: Uint8Array): void {
    if (bytes.length >= largeBytes) {
      this.#seal();
      this.#chunks.push(bytes);
      return;
    }
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  reset(streamId: number, code: number): void {
    this.#head(frameType.rstStream, 0, streamId, 4);
    this.#uint32(code);
  }

  /** The stream 0 is the connection. */
  windowUpdate(streamId: number, bytes: number): void {
    this.#head(frameType.windowUpdate, 0, streamId, 4);
    this.#uint32(bytes);
  }

  settingsAck(): void {
    this.#head(frameType.settings, frameFlag.ack, 0, 0);
  }

  ping(opaque: Uint8Array, isAck: boolean): void {
    this.#head(frameType.ping, isAck ? frameFlag.ack : 0, 0, opaque.length);
    this.payload(opaque);
  }

  /** No stream of the server's was looked at, because it has none. */
  goaway(code: number): void {
    this.#head(frameType.goaway, 0, 0, 8);
    this.#uint32(0);
    this.#uint32(code);
  }

  /** Hands all of it to a socket; answers whether that takes more, as `Socket.write` does. */
  flush(socket: Socket): boolean {
    this.#seal();
    const chunks = this.#chunks;
    if (chunks.length === 0) return !socket.writableNeedDrain;
    this.#chunks = [];
    const [only] = chunks;
    if (chunks.length === 1 && only !== undefined) return socket.write(only);
    socket.cork();
    for (const chunk of chunks) socket.write(chunk);
    socket.uncork();
    return !socket.writableNeedDrain;
  }

  #head(type: number, flags: number, streamId: number, payloadBytes: number): void {
    this.#reserve(frameHeadBytes);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = payloadBytes >>> 16;
    bytes[at++] = payloadBytes >>> 8;
    bytes[at++] = payloadBytes;
    bytes[at++] = type;
    bytes[at++] = flags;
    this.#length = bytes.writeUInt32BE(streamId, at);
  }

  #uint16(value: number): void {
    this.#reserve(2);
    this.#length = this.#bytes.writeUInt16BE(value, this.#length);
  }

  #uint32(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32BE(value, this.#length);
  }

  #text(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, "latin1");
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#length + bytes));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  /** The socket may hold what it is given for a while, so it gets a copy. */
  #seal(): void {
    if (this.#length === 0) return;
    const filled = this.#bytes.subarray(0, this.#length);
    if (this.#bytes.length > keptBytes) {
      this.#chunks.push(filled);
      this.#bytes = Buffer.allocUnsafeSlow(firstBytes);
    } else {
      this.#chunks.push(Buffer.from(filled));
    }
    this.#length = 0;
  }
}
