import { Assembly } from "./assembly.ts";
import type { Batch } from "./batch.ts";
import type { AcceptedCall, AcceptedCallListener, Call, CallListener } from "./call.ts";
import { Code } from "./code.ts";
import {
  type CallOpening,
  encodeCredit,
  encodeEmpty,
  encodeHeaders,
  encodeOpen,
  encodeStatus,
} from "./frame-codec.ts";
import {
  END_MESSAGE,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_CHUNK_BYTES,
  MAX_NUMBER,
  MultiplexCloseCode,
} from "./frame.ts";
import type { Memory } from "./memory.ts";
import { MessageQueue } from "./message-queue.ts";
import { type Metadata, noMetadata } from "./metadata.ts";
import { ProtocolError } from "./protocol-error.ts";
import type { MultiplexLimits, Settings } from "./settings.ts";
import { exhausted, type Status, status, tooMuchMetadata } from "./status.ts";
import type { Writer } from "./writer.ts";

/** Bytes that wait on one call from which `send` answers false, and those at which `drain` follows. */
const HIGH_WATER_MARK: number = 64 * 1024;
const LOW_WATER_MARK: number = 32 * 1024;

/** A message is not cut into chunks smaller than this for want of credit. */
const LEAST_CHUNK_BYTES = 1024;

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly isServer: boolean;
  readonly limits: MultiplexLimits;
  /** What the peer announced. */
  readonly peer: Settings;
  readonly memory: Memory;
  readonly writer: Writer;
  /** The stream has ended. */
  forget(stream: Stream): void;
}

/** Either side's listener. */
type Listener = Partial<Pick<CallListener, "headers">> &
  Partial<Pick<AcceptedCallListener, "halfClose">> &
  Omit<CallListener, "headers">;

/** What this side may still send: `closing` has one more frame behind the messages that wait. */
type Outgoing =
  | { readonly kind: "open" | "closed" }
  | { readonly kind: "closing"; readonly frame?: Uint8Array; readonly status?: Status }
  | { readonly kind: "ending"; readonly status: Status }
  | { readonly kind: "ended"; readonly status: Status };

/**
 * What may still come: a client waits for HEADERS first, a server's client can half-close, and what comes when this
 * side has ended the call is dropped.
 */
type Incoming = "headers" | "messages" | "closed" | "dropped";

const open: Outgoing = { kind: "open" };
const closed: Outgoing = { kind: "closed" };

/** One call on a connection, either side of it. PROTOCOL.md, "Calls". */
export class Stream implements Call, AcceptedCall {
  /** The number of the call; 0 while it waits to be opened. */
  id = 0;
  /** The next one whose turn it is to write, where this one waits for its turn. */
  next: Stream | undefined;
  isReady = false;
  readonly #host: StreamHost;
  readonly #queue: MessageQueue;
  readonly #assembly: Assembly;
  #listener: Listener | undefined;
  #outgoing: Outgoing = open;
  #incoming: Incoming;
  /** Whether HEADERS must still be sent. */
  #needsHeaders: boolean;
  /** Bytes that the peer takes. */
  #credit = 0;
  /** Bytes that the peer may send, and those that it has used since it was last given some. */
  #granted: number;
  #used = 0;
  /** The writer's turn in which messages were last sent without waiting for it, and their bytes. */
  #turn = -1;
  #turnBytes = 0;
  #isPaused = false;
  #wantsDrain = false;

  constructor(host: StreamHost) {
    this.#host = host;
    this.#queue = new MessageQueue(host.memory);
    this.#assembly = new Assembly(host.memory);
    this.#incoming = host.isServer ? "messages" : "headers";
    this.#needsHeaders = host.isServer;
    this.#granted = host.limits.initialCredit;
  }

  get hasEnded(): boolean {
    return this.#outgoing.kind === "ended";
  }

  /** Sets who is told of the call. */
  listen(listener: CallListener | AcceptedCallListener): void {
    this.#listener = listener;
    if (this.#outgoing.kind === "ended") listener.end(this.#outgoing.status, noMetadata);
  }

  /** The call has its number, and may send. */
  accepted(id: number): void {
    this.id = id;
    this.#credit = this.#host.peer.initialCredit;
  }

  /** Opens the call with its number; false where it ended instead, without a frame. */
  open(id: number, opening: CallOpening): boolean {
    const frame = this.#encode(() => encodeOpen(id, opening));
    if (frame === undefined) return false;
    this.accepted(id);
    this.#host.writer.control(frame);
    for (const message of this.#queue) if (!this.#checkSize(message)) return true;
    this.#host.writer.ready(this);
    return true;
  }

  send(message: Uint8Array): boolean {
    if (this.#outgoing.kind !== "open") return false;
    if (this.#needsHeaders) this.headers(noMetadata);
    // Before the call is open, the peer has perhaps not said how much it takes.
    if (this.id !== 0 && !(this.#checkSize(message) && this.#checkWaiting(message))) return false;
    this.#queue.push(message);
    this.#host.writer.ready(this);
    if (this.#queue.bytes >= HIGH_WATER_MARK) this.#wantsDrain = true;
    return !this.#wantsDrain;
  }

  sendView(message: Uint8Array): boolean {
    return this.#sendNow(message) || this.send(new Uint8Array(message));
  }

  /** Puts a message in the batch that leaves next, where nothing waits before it: one chunk, before others have their turn. */
  #sendNow(message: Uint8Array): boolean {
    const { length } = message;
    const { peer, writer } = this.#host;
    if (this.#outgoing.kind !== "open" || this.#needsHeaders || this.#queue.first !== undefined) return false;
    const turnBytes = length + (this.#turn === writer.turn ? this.#turnBytes : 0);
    const cost = FRAME_HEADER_BYTES + length;
    if (turnBytes > MAX_CHUNK_BYTES || length > peer.maxMessageBytes || cost > this.#credit) return false;
    if (!writer.sendNow(this, message)) return false;
    this.#turn = writer.turn;
    this.#turnBytes = turnBytes;
    this.#credit -= cost;
    return true;
  }

  halfClose(): void {
    if (this.#outgoing.kind !== "open") return;
    this.#outgoing = { kind: "closing" };
    this.#host.writer.ready(this);
  }

  cancel(reason: Status = status(Code.CANCELLED, "the call was cancelled")): void {
    if (this.hasEnded) return;
    if (this.id !== 0) this.#host.writer.control(encodeEmpty(FrameType.CANCEL, this.id));
    this.finish(reason);
  }

  headers(metadata: Metadata): void {
    if (!this.#needsHeaders || this.#outgoing.kind !== "open") return;
    this.#needsHeaders = false;
    const frame = this.#encode(() => encodeHeaders(this.id, metadata));
    if (frame !== undefined) this.#host.writer.control(frame);
  }

  end(reason: Status, trailers: Metadata = noMetadata): void {
    if (this.#outgoing.kind !== "open") return;
    this.#incoming = "dropped";
    this.#assembly.drop();
    // What cannot be sent ends the call too, with another status.
    const frame = this.#encode(() => encodeStatus(this.id, reason, trailers));
    if (frame === undefined) return;
    this.#outgoing = { kind: "closing", frame, status: reason };
    this.#host.writer.ready(this);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#grant();
  }

  /** Ends the call for a limit that was broken, without what waits. */
  fail(reason: Status): void {
    if (!this.#host.isServer) return this.cancel(reason);
    this.#queue.clear();
    this.end(reason);
  }

  /** Ends the call on this side. */
  finish(reason: Status, trailers: Metadata = noMetadata): void {
    if (this.hasEnded) return;
    this.#outgoing = { kind: "ended", status: reason };
    this.#incoming = "dropped";
    this.#queue.clear();
    this.#assembly.drop();
    this.#host.forget(this);
    this.#listener?.end(reason, trailers);
  }

  receiveHeaders(metadata: Metadata): void {
    if (this.#incoming !== "headers") throw new ProtocolError(`second HEADERS on call ${this.id}`);
    this.#incoming = "messages";
    this.#listener?.headers?.(metadata);
  }

  receiveData(flags: number, chunk: Uint8Array): void {
    if (this.#incoming === "dropped") return;
    if (this.#incoming !== "messages") {
      const when = this.#incoming === "headers" ? "before HEADERS" : "after HALF_CLOSE";
      throw new ProtocolError(`DATA ${when} on call ${this.id}`);
    }
    const cost = FRAME_HEADER_BYTES + chunk.length;
    this.#granted -= cost;
    if (this.#granted < 0) {
      throw new ProtocolError(`DATA without credit on call ${this.id}`, MultiplexCloseCode.FLOW_CONTROL);
    }
    this.#used += cost;
    const isEnd = (flags & END_MESSAGE) !== 0;
    const begun = this.#assembly.length;
    const { maxMessageBytes } = this.#host.limits;
    if (begun + chunk.length > maxMessageBytes) {
      this.fail(exhausted(`a message is larger than the maximum of ${maxMessageBytes} bytes`));
    } else if (isEnd && begun === 0) {
      this.#listener?.message(chunk);
    } else if (chunk.length === 0 && !isEnd) {
      throw new ProtocolError(`a chunk without bytes on call ${this.id}`);
    } else if (!this.#assembly.add(chunk, maxMessageBytes)) {
      this.fail(exhausted("the messages that are coming in on this connection take too much memory"));
    } else if (isEnd) {
      this.#listener?.message(this.#assembly.take());
    }
    this.#grant();
  }

  receiveHalfClose(): void {
    if (this.#incoming === "dropped") return;
    if (this.#incoming !== "messages") throw new ProtocolError(`second HALF_CLOSE on call ${this.id}`);
    if (this.#assembly.length > 0) throw new ProtocolError(`HALF_CLOSE within a message on call ${this.id}`);
    this.#incoming = "closed";
    this.#listener?.halfClose?.();
  }

  receiveStatus(reason: Status, trailers: Metadata): void {
    const isCut = this.#assembly.length > 0 && reason.code === Code.OK;
    this.finish(isCut ? status(Code.INTERNAL, "the call ended within a message") : reason, trailers);
  }

  receiveCredit(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > MAX_NUMBER) {
      throw new ProtocolError(`too much CREDIT on call ${this.id}`, MultiplexCloseCode.FLOW_CONTROL);
    }
    if (this.#queue.first !== undefined) this.#host.writer.ready(this);
  }

  /**
   * Takes a turn: adds frames until the batch, which holds one whole chunk, has no more room. Answers `again` where there is more for another turn, and `full` where
   * the turn has not begun, because the batch has no room.
   */
  write(batch: Batch): "done" | "again" | "full" {
    const queue = this.#queue;
    let hasBegun = false;
    for (let message = queue.first; message !== undefined; message = queue.first) {
      const { offset } = queue;
      const allowed = this.#credit - FRAME_HEADER_BYTES;
      let size = Math.min(message.length - offset, MAX_CHUNK_BYTES);
      if (size > allowed) {
        if (allowed < LEAST_CHUNK_BYTES) return "done";
        size = allowed;
      }
      const cost = FRAME_HEADER_BYTES + size;
      if (!batch.fits(cost)) return hasBegun ? "again" : "full";
      hasBegun = true;
      batch.addChunk(this.id, message, offset, offset + size);
      this.#credit -= cost;
      const waited = queue.bytes;
      queue.advance(message, offset + size);
      if (this.#wantsDrain && waited > LOW_WATER_MARK && queue.bytes <= LOW_WATER_MARK)
        this.#host.writer.later(this);
    }
    const out = this.#outgoing;
    if (out.kind === "closing") {
      const frame = out.frame ?? encodeEmpty(FrameType.HALF_CLOSE, this.id);
      if (!batch.fits(frame.length)) return hasBegun ? "again" : "full";
      batch.add(frame);
      this.#outgoing = out.status === undefined ? closed : { kind: "ending", status: out.status };
      if (out.status !== undefined) this.#host.writer.later(this);
    }
    return "done";
  }

  /** Tells what happened while it wrote. */
  settle(): void {
    if (this.#outgoing.kind === "ending") this.finish(this.#outgoing.status);
    else if (this.#wantsDrain && this.#outgoing.kind === "open") {
      this.#wantsDrain = false;
      this.#listener?.drain();
    }
  }

  #grant(): void {
    if (this.#isPaused || this.#incoming !== "messages") return;
    if (this.#used * 2 < this.#host.limits.initialCredit) return;
    this.#host.writer.control(encodeCredit(this.id, this.#used));
    this.#granted += this.#used;
    this.#used = 0;
  }

  /** A frame with metadata that the peer takes; undefined where the call ended instead. */
  #encode(encode: () => Uint8Array): Uint8Array | undefined {
    const { maxHeaderBytes } = this.#host.peer;
    let reason: Status;
    try {
      const frame = encode();
      const bytes = frame.length - FRAME_HEADER_BYTES;
      if (bytes <= maxHeaderBytes) return frame;
      reason = tooMuchMetadata(bytes, maxHeaderBytes);
    } catch (error) {
      reason = status(Code.INTERNAL, String(error).slice(0, 200));
    }
    if (this.#host.isServer) this.end(reason);
    else this.finish(reason);
    return undefined;
  }

  #checkWaiting(message: Uint8Array): boolean {
    const { limits, memory, peer } = this.#host;
    const most = Math.max(limits.maxWaitingBytes, peer.maxMessageBytes);
    if (this.#queue.bytes + message.length <= HIGH_WATER_MARK || memory.waiting + message.length <= most)
      return true;
    this.fail(exhausted(`more than ${most} bytes wait for the peer, which reads too slowly`));
    return false;
  }

  #checkSize(message: Uint8Array): boolean {
    const { maxMessageBytes } = this.#host.peer;
    if (message.length <= maxMessageBytes) return true;
    const text = `a message of ${message.length} bytes, more than the receiver's maximum of ${maxMessageBytes}`;
    this.fail(exhausted(text));
    return false;
  }
}
