import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  handleOf,
  isSystemSocket,
  isWritable,
  type SystemHandle,
  writeDirectly,
  type WriteListener,
} from "./direct-writes.ts";
import { type Flushable, flushAtEndOfTick } from "./end-of-tick.ts";
import { writeHeader } from "./frame-header.ts";
import type { FrameRun } from "./frame-run.ts";
import { applyMask, randomMask } from "./mask.ts";
import { FIN, MAX_HEADER_BYTES, Opcode } from "./opcode.ts";
import type { MessageOutbox } from "./message-outbox.ts";
import type { PreparedMessage } from "./prepared-message.ts";
import { isLent } from "./shared-reads.ts";

/** Payloads from here on are handed to the socket as they are; smaller ones are copied together. */
export const BY_REFERENCE_BYTES: number = 32 * 1024;
const SCRATCH_BYTES = 64 * 1024;
/** A string of at most this many UTF-16 units is looked at unit by unit, which beats the call into Node. */
const SHORT_TEXT_UNITS = 48;
/** The first memory of an outbox that does not get the scratch. */
const MIN_BLOCK_BYTES = 512;

/**
 * One buffer that all connections of the process take turns to fill, one at a time, until they write it. A TCP
 * socket mostly takes it at once; then the next one fills the same memory again.
 */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
/** Who fills the scratch. */
let filler: Outbox | undefined;
/**
 * With so many bytes in it, the scratch is written when another outbox wants it: that costs less than memory for both. To a
 * system's socket only, whose write calls nobody back: another stream may have a handler send, here of all places.
 */
const WORTH_WRITING_BYTES = 8 * 1024;

/**
 * Turns messages into frames and writes them to one socket: all frames of a tick, or of one read, in one write
 * (RFC 6455 section 5.2).
 */
export class Outbox implements MessageOutbox, WriteListener, Flushable {
  readonly #socket: Duplex;
  readonly #masked: boolean;
  readonly #onRoom: () => void;
  /** Whether bytes may be written past the stream: of a system's socket, which needs no byte as soon as none waits. */
  readonly #isDirect: boolean;
  /** Fewer bytes are never too much to go on. */
  readonly #mark: number;
  #handle: SystemHandle | undefined;
  /** Whether bytes may wait in the stream. It is asked only then: its state is memory that nothing else here touches. */
  #streamed = true;
  /** Bytes that wait in the system, past the stream. */
  #inFlight = 0;
  /** Frames before those in `#buffer`. */
  #parts: Buffer[] | undefined;
  /** Where small frames are put together: the scratch, or memory of its own while another outbox has that. */
  #buffer: Buffer | undefined;
  #end = 0;
  /** Prepared frames, while nothing else was added. */
  #run: FrameRun | undefined;
  #pending = 0;
  #due = false;
  #held = false;
  /** The masking key of the frame that is being added. */
  #key = 0;

  /**
   * `masked` is true on a client's side (section 5.1). `onRoom` is called when bytes have left of which the socket's
   * event `drain` does not tell.
   */
  constructor(socket: Duplex, masked: boolean, onRoom: () => void) {
    this.#socket = socket;
    this.#masked = masked;
    this.#onRoom = onRoom;
    this.#mark = socket.writableHighWaterMark;
    this.#isDirect = isSystemSocket(socket);
    if (isSystemSocket(socket)) this.#handle = handleOf(socket);
  }

  /** Bytes that the socket has not taken yet. */
  get bufferedAmount(): number {
    return this.#pending + this.#inFlight + (this.#streamed ? this.#socket.writableLength : 0);
  }

  add(first: number, data: string | Uint8Array): void {
    if (typeof data === "string") this.text(first, data);
    else this.frame(first, data);
  }

  addPrepared(message: PreparedMessage): void {
    if (this.#masked) this.frame(FIN | (message.isBinary ? Opcode.BINARY : Opcode.TEXT), message.payload);
    else this.prepared(message.run);
  }

  /** Adds a text frame; `first` is the frame's first byte. */
  text(first: number, text: string): void {
    const { length } = text;
    if (length <= SHORT_TEXT_UNITS && this.#shortText(first, text)) return;
    if (length * 3 >= BY_REFERENCE_BYTES) this.frame(first, Buffer.from(text), true);
    else this.#mediumText(first, text);
  }

  /** Adds a frame; `first` is its first byte. The payload may be changed only where it is `owned`. */
  frame(first: number, payload: Uint8Array, owned = false): void {
    const { length } = payload;
    if (length >= BY_REFERENCE_BYTES) {
      this.#largeFrame(first, payload, owned);
      return;
    }
    const buffer = this.#reserve(MAX_HEADER_BYTES + length);
    const from = this.#header(buffer, this.#end, first, length);
    buffer.set(payload, from);
    this.#finish(buffer, from, from + length);
  }

  /** Adds a frame that was encoded before, as only a server has it. */
  prepared(single: FrameRun): void {
    if (this.#pending === 0) {
      if (!this.#due && !this.#held) this.#schedule();
      this.#run = single;
    } else if (this.#run !== undefined) {
      this.#run = this.#run.with(single);
    } else {
      this.#encoded(single.bytes);
    }
    this.#pending += single.length;
  }

  /** Keeps what is added until `release()`, for the time in which one read is handled. */
  hold(): void {
    this.#held = true;
  }

  /** Ends `hold()`, and writes. */
  release(): void {
    this.#held = false;
    if (this.#pending > 0) this.flush();
  }

  get isDue(): boolean {
    const isReady = this.#handle === undefined || isWritable(this.#handle);
    return (this.#due || this.#pending > 0) && isReady;
  }

  /** Writes what was added, in one write. */
  flush(): void {
    this.#due = false;
    if (this.#pending === 0) return;
    const parts = this.#parts;
    const run = this.#run;
    this.#parts = undefined;
    this.#run = undefined;
    this.#pending = 0;
    if (run !== undefined) {
      this.#write(run.bytes);
      return;
    }
    const onScratch = this.#buffer === scratch && this.#isClear;
    const last = this.#takeBuffer(onScratch);
    if (parts === undefined) {
      this.#write(last!);
    } else {
      if (last !== undefined) parts.push(last);
      this.#writeParts(parts);
    }
    if (!onScratch) return;
    filler = undefined;
    if (!this.#isClear) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  get #isWorthWriting(): boolean {
    return this.#isDirect && this.#end >= WORTH_WRITING_BYTES;
  }

  /** Whether nothing waits, so that the system can be written to directly: it keeps the order of what comes to it. */
  get #isClear(): boolean {
    if (this.#inFlight > 0 || !this.#isDirect) return false;
    if (this.#streamed && this.#socket.writableLength === 0) this.#streamed = false;
    return !this.#streamed;
  }

  #write(bytes: Buffer): void {
    let isTaken = false;
    if (this.#isClear) {
      isTaken = !writeDirectly(this.#socket as Socket, this.#handle, bytes, this);
      if (!isTaken) this.#inFlight = bytes.length;
    } else if (this.#socket.writable) {
      this.#streamed = true;
      isTaken = this.#socket.write(bytes);
    }
    // Of what the system takes at once nothing else tells.
    if (isTaken && bytes.length >= this.#mark) process.nextTick(this.#onRoom);
  }

  #writeParts(parts: readonly Buffer[]): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    this.#streamed = true;
    socket.cork();
    for (const part of parts) socket.write(part);
    socket.uncork();
  }

  written(error?: Error | null): void {
    this.#inFlight = 0;
    if (error) this.#socket.destroy(error);
    else if (this.#socket.writable) this.#onRoom();
  }

  /** Has Node write from now on. */
  timed(): void {
    this.#handle = undefined;
  }

  drop(): boolean {
    return false;
  }

  /** Forgets what was added. */
  close(): void {
    this.#handle = undefined;
    this.#parts = undefined;
    this.#run = undefined;
    this.#pending = 0;
    if (this.#buffer === scratch) filler = undefined;
    this.#buffer = undefined;
    this.#end = 0;
  }

  #shortText(first: number, text: string): boolean {
    const { length } = text;
    const buffer = this.#reserve(MAX_HEADER_BYTES + length);
    const from = this.#header(buffer, this.#end, first, length);
    let union = 0;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      union |= unit;
      buffer[from + index] = unit;
    }
    if (union > 0x7f) return false;
    this.#finish(buffer, from, from + length);
    return true;
  }

  #mediumText(first: number, text: string): void {
    const units = text.length;
    const buffer = this.#reserve(MAX_HEADER_BYTES + units * 3);
    // From 126 units on the header has one size whatever the text, so its length is known after it is written.
    const known = units < 126 ? Buffer.byteLength(text) : units;
    const from = this.#header(buffer, this.#end, first, known);
    const length = buffer.write(text, from);
    if (length !== known) {
      buffer[this.#end + 2] = length >>> 8;
      buffer[this.#end + 3] = length;
    }
    this.#finish(buffer, from, from + length);
  }

  #largeFrame(first: number, payload: Uint8Array, owned: boolean): void {
    let data = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    const buffer = this.#reserve(MAX_HEADER_BYTES);
    const from = this.#header(buffer, this.#end, first, data.length);
    // A message that is sent on by the handler that was lent it.
    if (isLent(data) || (this.#masked && !owned)) data = Buffer.from(data);
    if (this.#masked) applyMask(data, 0, data.length, this.#key);
    this.#pending += from - this.#end + data.length;
    this.#parts ??= [];
    this.#parts.push(Buffer.from(buffer.subarray(0, from)), data);
    this.#end = 0;
  }

  /** Writes a header, and answers where its payload begins. */
  #header(buffer: Buffer, at: number, first: number, length: number): number {
    const end = writeHeader(buffer, at, first, this.#masked, length);
    if (!this.#masked) return end;
    const key = randomMask();
    this.#key = key;
    buffer[end] = key;
    buffer[end + 1] = key >>> 8;
    buffer[end + 2] = key >>> 16;
    buffer[end + 3] = key >>> 24;
    return end + 4;
  }

  #finish(buffer: Buffer, from: number, to: number): void {
    if (this.#masked) applyMask(buffer, from, to, this.#key);
    this.#pending += to - this.#end;
    this.#end = to;
  }

  /** A buffer with room for so many bytes at `#end`. */
  #reserve(bytes: number): Buffer {
    if (!this.#due && !this.#held) this.#schedule();
    if (this.#run !== undefined) this.#endRun(this.#run);
    const buffer = this.#buffer;
    return buffer !== undefined && this.#end + bytes <= buffer.length ? buffer : this.#makeRoom(bytes);
  }

  /** Something else follows the prepared frames. */
  #endRun(run: FrameRun): void {
    this.#run = undefined;
    this.#encoded(run.bytes);
  }

  /** Adds bytes that count in `#pending` elsewhere. */
  #encoded(bytes: Buffer): void {
    if (bytes.length >= BY_REFERENCE_BYTES) {
      if (this.#buffer !== undefined) this.#setAside(this.#buffer);
      this.#parts ??= [];
      this.#parts.push(bytes);
      return;
    }
    const buffer = this.#reserve(bytes.length);
    bytes.copy(buffer, this.#end);
    this.#end += bytes.length;
  }

  /** Makes room in the buffer without a write. */
  #setAside(buffer: Buffer): void {
    this.#parts ??= [];
    if (this.#end > 0) this.#parts.push(Buffer.from(buffer.subarray(0, this.#end)));
    this.#end = 0;
  }

  #schedule(): void {
    this.#due = true;
    flushAtEndOfTick(this);
  }

  #makeRoom(bytes: number): Buffer {
    if (this.#buffer !== undefined && this.#end + bytes > SCRATCH_BYTES) {
      if (this.#isDirect) this.flush();
      else this.#setAside(this.#buffer);
    }
    if (this.#buffer === undefined && filler !== undefined && filler.#isWorthWriting) filler.flush();
    if (this.#buffer === undefined && filler === undefined) {
      this.#buffer = scratchFor(this);
      return this.#buffer;
    }
    const size = Math.max(MIN_BLOCK_BYTES, Math.min(SCRATCH_BYTES, this.#end * 2), this.#end + bytes);
    const block = Buffer.allocUnsafe(size);
    this.#buffer?.copy(block, 0, 0, this.#end);
    this.#buffer = block;
    return block;
  }

  /** What is in the buffer, for the socket to keep; unless it is to be written and used again at once. */
  #takeBuffer(asItIs: boolean): Buffer | undefined {
    const buffer = this.#buffer;
    const end = this.#end;
    this.#buffer = undefined;
    this.#end = 0;
    if (buffer === undefined) return undefined;
    const shared = buffer === scratch;
    if (shared && !asItIs) filler = undefined;
    if (end === 0) return undefined;
    const filled = buffer.subarray(0, end);
    return asItIs || (!shared && end * 2 >= buffer.length) ? filled : Buffer.from(filled);
  }
}

function scratchFor(outbox: Outbox): Buffer {
  filler = outbox;
  return scratch;
}
