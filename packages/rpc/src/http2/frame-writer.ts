import type { Socket } from "node:net";
import { frameFlag, frameHeadBytes, frameType, maxPayloadBytes, preface } from "./frame.ts";

/** From this size on a payload is passed on as it is: a copy would cost more than a further chunk. */
const largeBytes = 8 * 1024;

/** So few are copied sooner one by one. */
const fewBytes = 16;

const firstBytes = 4 * 1024;

/**
 * Memory of writers that have handed over what they had, the last one first: it was in the processor's cache a moment ago,
 * which a fresh piece for each turn of each connection is not.
 */
const spareMemory: Buffer[] = [];
const mostSpare = 4;
/** What a busy turn needed beyond this is not kept. */
const largestSpareBytes = 1024 * 1024;

const noBytes = Buffer.alloc(0);

/** Whether a socket takes more. Unlike `writableNeedDrain` it says so too right after a large write that left nothing waiting. */
export function hasRoom(socket: Socket): boolean {
  return socket.writableLength < socket.writableHighWaterMark;
}

/** Gathers frames, so that those of one turn leave in one write. */
export class FrameWriter {
  #chunks: Uint8Array[] = [];
  #bytes: Buffer = noBytes;
  #length = 0;
  /** The DATA frame of `copyData` that is last in `#bytes`: its stream, where it begins and where it ends. */
  #openId = 0;
  #openAt = 0;
  #openEnd = 0;
  /** Whether the socket took at once what it was given last. */
  #isTakenAtOnce = true;

  /** Bytes that were copied together and not yet handed to a socket. */
  get gatheredBytes(): number {
    return this.#length;
  }

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

  /** Bytes of a payload, which may be kept until they are handed to the socket and sent. */
  payload(bytes: Uint8Array): void {
    if (bytes.length < largeBytes) return this.#copy(bytes);
    this.#seal();
    this.#chunks.push(bytes);
  }

  /** Bytes of a stream that are copied into DATA frames, the first of them into the last frame where that is of the stream. */
  copyData(streamId: number, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      if (!this.#isOpen(streamId)) this.#openData(streamId);
      const room = maxPayloadBytes - (this.#length - this.#openAt - frameHeadBytes);
      const end = Math.min(from + room, bytes.length);
      this.#copy(end - from === bytes.length ? bytes : bytes.subarray(from, end));
      this.#openEnd = this.#length;
      this.#setPayloadBytes(this.#openAt, this.#length - this.#openAt - frameHeadBytes);
      from = end;
    }
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

  /** Hands all of it to a socket; answers whether that takes more. */
  flush(socket: Socket): boolean {
    if (this.#chunks.length === 0) {
      if (this.#length > 0) this.#writeGathered(socket);
    } else {
      this.#seal();
      const chunks = this.#chunks;
      this.#chunks = [];
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
      this.#release();
    }
    return hasRoom(socket);
  }

  /** Writes what is gathered as it is, where the socket is likely to take it at once, and else a copy. */
  #writeGathered(socket: Socket): void {
    const filled = this.#bytes.subarray(0, this.#length);
    const isLent = this.#isTakenAtOnce && socket.writableLength === 0;
    socket.write(isLent ? filled : Buffer.from(filled));
    this.#isTakenAtOnce = socket.writableLength === 0;
    this.#length = 0;
    // What was not taken at once is the socket's from now on.
    if (isLent && !this.#isTakenAtOnce) this.#bytes = noBytes;
    this.#release();
  }

  /** Lets other connections have the memory, until there is something to write again. */
  #release(): void {
    const bytes = this.#bytes;
    this.#bytes = noBytes;
    this.#openId = 0;
    const isKept = bytes.length > 0 && bytes.length <= largestSpareBytes;
    if (isKept && spareMemory.length < mostSpare) spareMemory.push(bytes);
  }

  #isOpen(streamId: number): boolean {
    const isLast = this.#openId === streamId && this.#openEnd === this.#length;
    return isLast && this.#length - this.#openAt < frameHeadBytes + maxPayloadBytes;
  }

  #openData(streamId: number): void {
    this.#head(frameType.data, 0, streamId, 0);
    this.#openId = streamId;
    this.#openAt = this.#length - frameHeadBytes;
  }

  #setPayloadBytes(at: number, payloadBytes: number): void {
    this.#bytes[at] = payloadBytes >>> 16;
    this.#bytes[at + 1] = payloadBytes >>> 8;
    this.#bytes[at + 2] = payloadBytes;
  }

  #head(type: number, flags: number, streamId: number, payloadBytes: number): void {
    this.#reserve(frameHeadBytes);
    this.#setPayloadBytes(this.#length, payloadBytes);
    const bytes = this.#bytes;
    bytes[this.#length + 3] = type;
    bytes[this.#length + 4] = flags;
    this.#length = bytes.writeUInt32BE(streamId, this.#length + 5);
  }

  #copy(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    const to = this.#bytes;
    const at = this.#length;
    const { length } = bytes;
    if (length > fewBytes) to.set(bytes, at);
    else for (let index = 0; index < length; index++) to[at + index] = bytes[index] as number;
    this.#length = at + length;
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
    if (this.#bytes === noBytes) this.#bytes = spareMemory.pop() ?? Buffer.allocUnsafeSlow(firstBytes);
    if (this.#length + bytes <= this.#bytes.length) return;
    // By doubling alone, so that a busy turn ends with no more than is kept for the next one.
    let size = 2 * this.#bytes.length;
    while (size < this.#length + bytes) size *= 2;
    const grown = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  /** Makes a chunk of what was gathered, before one that is passed on as it is. */
  #seal(): void {
    if (this.#length === 0) return;
    this.#chunks.push(Buffer.from(this.#bytes.subarray(0, this.#length)));
    this.#length = 0;
    this.#openId = 0;
  }
}
