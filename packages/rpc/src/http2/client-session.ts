import type { OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { ClientStream, type StreamListener, type StreamOwner } from "./client-stream.ts";
import {
  defaultWindowBytes,
  errorCode,
  frameFlag,
  frameType,
  Http2Violation,
  maxWindowBytes,
  settingId,
  settingsFrom,
  tooWide,
  violation,
  wantLength,
  withoutPadding,
} from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter, hasRoom } from "./frame-writer.ts";
import { encodeHeaders, noTable } from "./header-encoder.ts";
import { HeaderReader } from "./header-reader.ts";
import type { SessionLimits, SessionListener } from "./session-listener.ts";
import { tell } from "./tell.ts";

/** Answers to SETTINGS and PING that may wait for a peer that does not read. */
const mostWaitingAnswers = 1_000;

/** From so many bytes on, what was gathered does not wait for the end of the turn; less wakes the server too often. */
const mostGathered = 960 * 1024;

const pingPayload = Buffer.alloc(8);

/**
 * The client's side of an HTTP/2 connection (RFC 9113) on a socket, as far as gRPC needs it: no push, no priorities.
 * What is sent within one turn of the event loop leaves in one write, if it is not very much.
 */
export class ClientSession implements StreamOwner {
  readonly #socket: Socket;
  readonly #limits: SessionLimits;
  readonly #listener: SessionListener;
  readonly #reader = new FrameReader((type, flags, id, payload) => this.#frame(type, flags, id, payload));
  readonly #writer = new FrameWriter();
  readonly #headers: HeaderReader;
  readonly #streams = new Map<number, ClientStream>();
  /** Streams with something to send, which may have to wait for the window of the connection or for the socket. */
  readonly #sending = new Set<ClientStream>();
  readonly #pings: (() => void)[] = [];
  #nextId = 1;
  #flushedId = 0;
  #sendWindow = defaultWindowBytes;
  #streamSendWindow = defaultWindowBytes;
  #receiveWindow: number;
  #received = 0;
  #waitingAnswers = 0;
  #maxConcurrentStreams = Number.POSITIVE_INFINITY;
  #maxHeaderListBytes = Number.POSITIVE_INFINITY;
  #isFlushScheduled = false;
  #state: "open" | "closing" | "destroyed" = "open";

  /** Writes to a socket; whoever made it sees to what it reads, its errors and its end, and calls `begin` when it is connected. */
  constructor(socket: Socket, limits: SessionLimits, listener: SessionListener) {
    this.#socket = socket;
    this.#limits = limits;
    this.#listener = listener;
    this.#headers = new HeaderReader(limits.maxHeaderBytes, (id, fields, isLast) =>
      this.#receiveHeaders(id, fields, isLast),
    );
    this.#receiveWindow = Math.max(limits.connectionWindowBytes, defaultWindowBytes);
    socket.on("drain", () => this.#flush());
  }

  /** Says what a client says first. */
  begin(): void {
    const { maxHeaderBytes, streamWindowBytes } = this.#limits;
    this.#writer.begin([
      [settingId.enablePush, 0],
      [settingId.initialWindowSize, streamWindowBytes],
      [settingId.maxHeaderListSize, maxHeaderBytes],
    ]);
    const more = this.#receiveWindow - defaultWindowBytes;
    if (more > 0) this.#writer.windowUpdate(0, more);
    this.#flush();
  }

  /** Takes what was read from the socket; its memory may be used again when this returns. */
  receive(chunk: Buffer): void {
    if (this.#state === "destroyed") return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof Http2Violation)) throw error;
      this.#writer.goaway(error.errorCode);
      this.#flush();
      this.destroy();
      this.#listener.failed(error);
    }
  }

  /** Whether it takes no further stream. */
  get isClosed(): boolean {
    return this.#state !== "open";
  }

  get isDestroyed(): boolean {
    return this.#state === "destroyed";
  }

  /** Whether the request of a stream has been handed to the socket. */
  hasSent(stream: ClientStream): boolean {
    return stream.id <= this.#flushedId;
  }

  /** Opens a stream. The listener hears nothing before this has returned. */
  request(headers: OutgoingHttpHeaders, listener: StreamListener): ClientStream {
    const id = this.#nextId;
    this.#nextId += 2;
    const windows = { send: this.#streamSendWindow, receive: this.#limits.streamWindowBytes };
    const stream = new ClientStream(id, windows, this, listener);
    this.#streams.set(id, stream);
    const block = encodeHeaders(headers);
    this.#writer.headers(id, id === 1 ? noTable + block : block);
    this.#flushLater();
    return stream;
  }

  /** Sends a PING; `answered` is called when it is answered. */
  ping(answered: () => void): void {
    this.#pings.push(answered);
    this.#writer.ping(pingPayload, false);
    this.#flushLater();
  }

  /** Takes no further stream, and ends the connection when those that are open have ended. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#flushLater();
  }

  /** Ends all streams, later; the socket is left to its owner. */
  destroy(): void {
    if (this.#state === "destroyed") return;
    this.#state = "destroyed";
    this.#sending.clear();
    // Each in a turn of its own, so that a listener that throws costs no other stream.
    for (const stream of this.#streams.values()) process.nextTick(() => stream.close(errorCode.cancel));
  }

  schedule(stream: ClientStream): void {
    this.#sending.add(stream);
    this.#flushLater();
  }

  reset({ id }: ClientStream, code: number): void {
    if (this.#state === "destroyed") return;
    this.#writer.reset(id, code);
    this.#flushLater();
  }

  sendNow({ id }: ClientStream, first: Uint8Array, second: Uint8Array): boolean {
    const bytes = first.length + second.length;
    // Who waits for a turn has it before.
    if (this.#sending.size > 0 || bytes > this.#sendWindow) return false;
    if (this.#state === "destroyed" || !hasRoom(this.#socket)) return false;
    this.#sendWindow -= bytes;
    this.#writer.copyData(id, first);
    this.#writer.copyData(id, second);
    if (this.#writer.gatheredBytes >= mostGathered) this.#hand();
    else this.#flushLater();
    return true;
  }

  credit({ id }: ClientStream, bytes: number): void {
    this.#writer.windowUpdate(id, bytes);
    this.#flushLater();
  }

  forget(stream: ClientStream): void {
    this.#streams.delete(stream.id);
    this.#sending.delete(stream);
    if (this.#state === "closing") this.#flushLater();
  }

  #flushLater(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(flushNow, this);
  }

  /** Sends what there is, bodies as far as the windows and the socket take them. */
  flush(): void {
    this.#isFlushScheduled = false;
    // Not before the last stream has told how it ended, which has nothing to do with the end of the connection.
    const isOver = this.#state === "closing" && this.#streams.size === 0;
    if (isOver) this.#writer.goaway(errorCode.noError);
    this.#flush();
    if (!isOver) return;
    this.#state = "destroyed";
    this.#socket.destroySoon();
  }

  #flush(): void {
    if (this.#state === "destroyed" || this.#socket.destroyed) return;
    let isFree = hasRoom(this.#socket);
    while (isFree && this.#sendData()) isFree = this.#writer.flush(this.#socket);
    if (this.#hand()) this.#waitingAnswers = 0;
  }

  /** Hands to the socket what the writer has; answers whether it takes more. */
  #hand(): boolean {
    this.#flushedId = this.#nextId - 2;
    return this.#writer.flush(this.#socket);
  }

  /**
   * Puts one frame of each stream that can send into the writer; answers whether there was one. Who has sent comes last
   * the next time, so that all get their share of a narrow window of the connection.
   */
  #sendData(): boolean {
    let hasSent = false;
    let left = this.#sending.size;
    for (const stream of this.#sending) {
      if (left-- === 0) break;
      const bytes = stream.sendable(this.#sendWindow);
      if (bytes === 0 && !stream.isOnlyEndLeft) {
        // What waits for its own window is told by `schedule` when that has grown.
        if (this.#sendWindow > 0 || stream.unsentBytes === 0) this.#sending.delete(stream);
        continue;
      }
      const isLast = stream.endsWith(bytes);
      this.#sendWindow -= bytes;
      this.#writer.data(stream.id, bytes, isLast);
      stream.take(bytes, (chunk) => this.#writer.payload(chunk));
      if (isLast) stream.sent();
      hasSent = true;
      this.#sending.delete(stream);
      if (stream.unsentBytes > 0) this.#sending.add(stream);
      else stream.drained();
    }
    return hasSent;
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (this.#state === "destroyed") return;
    this.#headers.check(type, id);
    switch (type) {
      case frameType.data:
        return this.#receiveData(flags, id, payload);
      case frameType.headers:
        return this.#headers.begin(flags, id, payload);
      case frameType.continuation:
        return this.#headers.continue(flags, payload);
      case frameType.rstStream:
        wantLength(payload, 4);
        return this.#streamOf(id)?.close(payload.readUInt32BE(0));
      case frameType.settings:
        return this.#receiveSettings(flags, id, payload);
      case frameType.pushPromise:
        throw violation("it pushes, though that was turned off");
      case frameType.ping:
        return this.#receivePing(flags, id, payload);
      case frameType.goaway:
        return this.#receiveGoaway(id, payload);
      case frameType.windowUpdate:
        return this.#receiveWindowUpdate(id, payload);
      default:
      // What a client does not know it passes over (RFC 9113, section 4.1).
    }
  }

  /** The stream of a frame; undefined where it is over, and what still comes for it is passed over. */
  #streamOf(id: number): ClientStream | undefined {
    if (id === 0 || id % 2 === 0 || id >= this.#nextId) throw violation(`there is no stream ${id}`);
    return this.#streams.get(id);
  }

  #receiveData(flags: number, id: number, payload: Buffer): void {
    const bytes = withoutPadding(flags, payload, 0);
    this.#received += payload.length;
    if (this.#received > this.#receiveWindow) {
      throw new Http2Violation(errorCode.flowControlError, "more data than the connection may carry");
    }
    // At once, also for a stream that is paused: it holds its own window, and nobody else's.
    if (this.#received * 2 >= this.#receiveWindow) {
      this.#writer.windowUpdate(0, this.#received);
      this.#received = 0;
      this.#flushLater();
    }
    this.#streamOf(id)?.receiveData(bytes, payload.length, (flags & frameFlag.endStream) !== 0);
  }

  #receiveHeaders(id: number, fields: readonly string[] | undefined, isLast: boolean): void {
    const stream = this.#streamOf(id);
    if (fields === undefined) stream?.reset(errorCode.enhanceYourCalm);
    else stream?.receiveHeaders(fields, isLast);
  }

  #receiveSettings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw violation("SETTINGS are for a stream");
    if ((flags & frameFlag.ack) !== 0) return wantLength(payload, 0);
    const settings = settingsFrom(payload);
    const windowBytes = settings.get(settingId.initialWindowSize);
    if (windowBytes !== undefined) this.#resizeWindows(windowBytes);
    this.#maxConcurrentStreams = settings.get(settingId.maxConcurrentStreams) ?? this.#maxConcurrentStreams;
    this.#maxHeaderListBytes = settings.get(settingId.maxHeaderListSize) ?? this.#maxHeaderListBytes;
    this.#writer.settingsAck();
    this.#answer();
    this.#listener.settings(this.#maxConcurrentStreams, this.#maxHeaderListBytes);
  }

  #resizeWindows(bytes: number): void {
    if (bytes > maxWindowBytes) throw tooWide();
    const more = bytes - this.#streamSendWindow;
    this.#streamSendWindow = bytes;
    for (const stream of this.#streams.values()) if (!stream.widen(more)) throw tooWide();
  }

  #receivePing(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw violation("a PING is for a stream");
    wantLength(payload, 8);
    if ((flags & frameFlag.ack) !== 0) {
      this.#pings.shift()?.();
      return;
    }
    this.#writer.ping(payload, true);
    this.#answer();
  }

  /** Sends an answer that the peer has asked for, of which it must not ask for too many. */
  #answer(): void {
    if (++this.#waitingAnswers > mostWaitingAnswers) {
      throw new Http2Violation(errorCode.enhanceYourCalm, "it asks and does not read the answers");
    }
    this.#flushLater();
  }

  #receiveGoaway(id: number, payload: Buffer): void {
    if (id !== 0 || payload.length < 8) throw violation("a malformed GOAWAY");
    const lastStreamId = payload.readUInt32BE(0) & maxWindowBytes;
    this.#listener.goaway(payload.readUInt32BE(4), lastStreamId, payload.subarray(8));
    for (const stream of this.#streams.values()) {
      if (stream.id > lastStreamId) tell(() => stream.close(errorCode.refusedStream));
    }
  }

  #receiveWindowUpdate(id: number, payload: Buffer): void {
    wantLength(payload, 4);
    const bytes = payload.readUInt32BE(0) & maxWindowBytes;
    if (id !== 0) {
      const stream = this.#streamOf(id);
      if (stream === undefined) return;
      if (bytes === 0) stream.reset(errorCode.protocolError);
      else if (!stream.widen(bytes)) stream.reset(errorCode.flowControlError);
      return;
    }
    if (bytes === 0) throw violation("a window grows by nothing");
    this.#sendWindow += bytes;
    if (this.#sendWindow > maxWindowBytes) throw tooWide();
    if (this.#sending.size > 0) this.#flushLater();
  }
}

/** Shared, because a closure for each turn would cost more than the frames of a call. */
function flushNow(session: ClientSession): void {
  session.flush();
}
