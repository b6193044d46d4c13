import type { Call, CallListener, CallStart } from "./call.ts";
import { Code } from "./code.ts";
import {
  type CallOpening,
  decodeCredit,
  decodeGoAway,
  decodeHeaders,
  decodeHello,
  decodeOpen,
  decodeStatus,
  encodeEmpty,
  encodeGoAway,
  encodeHello,
  encodeStatus,
  type FrameSink,
  readFrames,
} from "./frame-codec.ts";
import { FrameType, MAX_NUMBER, MultiplexCloseCode } from "./frame.ts";
import { Keepalive } from "./keepalive.ts";
import type { Memory } from "./memory.ts";
import { noMetadata } from "./metadata.ts";
import type {
  ClientMultiplex,
  ClientMultiplexOptions,
  MultiplexOptions,
  ServerMultiplex,
  ServerMultiplexOptions,
  Wire,
} from "./multiplex.ts";
import { utf8 } from "./payload.ts";
import { ProtocolError } from "./protocol-error.ts";
import { defaultSettings, type MultiplexLimits, resolveMultiplexLimits, type Settings } from "./settings.ts";
import { exhausted, type Status, status, statusFromClose, tooMuchMetadata } from "./status.ts";
import { Stream, type StreamHost } from "./stream.ts";
import { Writer } from "./writer.ts";

/** A connection's client side, on a WebSocket that is open. */
export function createClientMultiplex(wire: Wire, options: ClientMultiplexOptions): ClientMultiplex {
  return new Connection(wire, options, undefined, options.goAway);
}

/** A connection's server side, on a WebSocket that is open. */
export function createServerMultiplex(wire: Wire, options: ServerMultiplexOptions): ServerMultiplex {
  return new Connection(wire, options, options.accept);
}

/** `leaving` from GO_AWAY on. */
type State =
  | { readonly kind: "open" }
  | { readonly kind: "leaving"; readonly status: Status }
  | { readonly kind: "closed"; readonly status: Status };

/** A call that waits to be opened. */
interface WaitingCall {
  readonly stream: Stream;
  readonly opening: CallOpening;
}

/** A connection with all its calls, either side of it. PROTOCOL.md. */
class Connection implements ClientMultiplex, ServerMultiplex, FrameSink, StreamHost {
  readonly isServer: boolean;
  readonly limits: MultiplexLimits;
  readonly memory: Memory;
  readonly writer: Writer;
  readonly #wire: Wire;
  readonly #defer: (call: () => void) => void;
  readonly #accept: ServerMultiplexOptions["accept"] | undefined;
  readonly #goAway: ClientMultiplexOptions["goAway"];
  readonly #keepalive: Keepalive | undefined;
  readonly #streams = new Map<number, Stream>();
  #state: State = { kind: "open" };
  /** What the peer announced in its HELLO, which has not come where this is undefined. */
  #peer: Settings | undefined;
  /** The greatest number of a call so far. */
  #lastCall = 0;
  #waiting: WaitingCall[] = [];
  #isScheduled = false;
  readonly #flushDeferred = (): void => {
    this.#isScheduled = false;
    this.#flush();
  };

  constructor(
    wire: Wire,
    { limits, defer, keepalive }: MultiplexOptions,
    accept: ServerMultiplexOptions["accept"] | undefined,
    goAway?: ClientMultiplexOptions["goAway"],
  ) {
    this.#wire = wire;
    this.writer = new Writer(wire, () => this.#schedule());
    this.limits = resolveMultiplexLimits(limits);
    this.memory = { forAssembly: this.limits.maxAssemblyBytes, waiting: 0 };
    this.#defer = defer;
    this.#accept = accept;
    this.isServer = accept !== undefined;
    this.#goAway = goAway;
    if (keepalive !== undefined) {
      this.#keepalive = new Keepalive(
        keepalive,
        () => this.writer.control(encodeEmpty(FrameType.PING, 0)),
        () => this.close(MultiplexCloseCode.PING_TIMEOUT, "nothing came, not even the answer to a PING"),
      );
    }
    this.writer.control(encodeHello(this.limits));
  }

  get size(): number {
    return this.#streams.size;
  }

  get peer(): Settings {
    return this.#peer ?? defaultSettings;
  }

  open({ method, metadata, timeout, encoding }: CallStart, listener: CallListener): Call {
    const stream = new Stream(this);
    stream.listen(listener);
    const opening: CallOpening = {
      method,
      metadata: metadata ?? noMetadata,
      ...(timeout === undefined ? undefined : { timeout }),
      encoding: encoding ?? "protobuf",
    };
    this.#waiting.push({ stream, opening });
    this.#schedule();
    return stream;
  }

  receive(message: Uint8Array): void {
    if (this.#state.kind === "closed") return;
    this.#keepalive?.heard();
    try {
      readFrames(message, this);
      this.#checkAnswers();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close(error.code, error.message);
    }
  }

  drain(): void {
    this.writer.unblock();
    this.#flush();
  }

  closed(code: number, reason: string): void {
    this.#shut(statusFromClose(code, reason));
  }

  close(code: number = MultiplexCloseCode.NORMAL, reason = ""): void {
    if (this.#state.kind === "closed") return;
    let text = reason;
    while (utf8(text).length > 123) text = text.slice(0, -1);
    this.#shut(statusFromClose(code, reason));
    this.#wire.close(code, text);
  }

  goAway(reason = ""): void {
    if (this.#state.kind !== "open") return;
    this.#leave(reason);
    this.writer.control(encodeGoAway(this.#lastCall, reason));
  }

  forget(stream: Stream): void {
    if (stream.id === 0) this.#waiting = this.#waiting.filter((call) => call.stream !== stream);
    else this.#streams.delete(stream.id);
    this.writer.remove(stream);
    // A call that waits may have its place, and the last one may have been waited for.
    this.#schedule();
  }

  frame(type: number, flags: number, call: number, payload: Uint8Array): void {
    if (this.#state.kind === "closed") return;
    if (type === FrameType.HELLO) {
      if (this.#peer !== undefined) throw new ProtocolError("a second HELLO");
      this.#peer = decodeHello(payload);
      this.#schedule();
      return;
    }
    if (this.#peer === undefined) throw new ProtocolError("the first frame is no HELLO");
    switch (type) {
      case FrameType.OPEN:
        this.#checkSide(true, type);
        return this.#acceptCall(call, payload);
      case FrameType.PING:
        return this.writer.control(encodeEmpty(FrameType.PONG, 0));
      case FrameType.PONG:
        return;
      case FrameType.GO_AWAY:
        this.#checkSide(false, type);
        return this.#receiveGoAway(payload);
      default:
        return this.#callFrame(type, flags, call, payload);
    }
  }

  #callFrame(type: number, flags: number, call: number, payload: Uint8Array): void {
    // A call that has ended is undefined here: the peer did not know of it yet, and what it sent is dropped.
    const stream = this.#streams.get(call);
    if (stream === undefined && call > this.#lastCall) {
      throw new ProtocolError(`a frame of call ${call}, which was never opened`);
    }
    switch (type) {
      case FrameType.DATA:
        return stream?.receiveData(flags, payload);
      case FrameType.CREDIT:
        return stream?.receiveCredit(decodeCredit(payload));
      case FrameType.HALF_CLOSE:
        this.#checkSide(true, type);
        return stream?.receiveHalfClose();
      case FrameType.CANCEL:
        this.#checkSide(true, type);
        return stream?.finish(status(Code.CANCELLED, "the client cancelled the call"));
      case FrameType.HEADERS:
        this.#checkSide(false, type);
        if (stream !== undefined && this.#checkHeaderSize(stream, payload)) {
          stream.receiveHeaders(decodeHeaders(payload));
        }
        return;
      default: {
        this.#checkSide(false, type);
        if (stream === undefined || !this.#checkHeaderSize(stream, payload)) return;
        const end = decodeStatus(payload);
        stream.receiveStatus(end.status, end.trailers);
      }
    }
  }

  #checkSide(isServer: boolean, type: number): void {
    if (this.isServer !== isServer) throw new ProtocolError(`a frame of type ${type} from the wrong side`);
  }

  #checkHeaderSize(stream: Stream, payload: Uint8Array): boolean {
    const { maxHeaderBytes } = this.limits;
    if (payload.length <= maxHeaderBytes) return true;
    stream.fail(tooMuchMetadata(payload.length, maxHeaderBytes));
    return false;
  }

  #acceptCall(call: number, payload: Uint8Array): void {
    if (call <= this.#lastCall) throw new ProtocolError(`OPEN of call ${call} after ${this.#lastCall}`);
    this.#lastCall = call;
    if (this.#state.kind !== "open") return;
    const { maxCalls, maxHeaderBytes } = this.limits;
    if (payload.length > maxHeaderBytes) {
      return this.#refuse(call, tooMuchMetadata(payload.length, maxHeaderBytes));
    }
    if (this.#streams.size >= maxCalls) {
      return this.#refuse(call, exhausted(`more than ${maxCalls} calls at once on one connection`));
    }
    const opening = decodeOpen(payload);
    if (opening === undefined) {
      return this.#refuse(call, status(Code.UNIMPLEMENTED, "messages are protobuf (0) or JSON (1)"));
    }
    const stream = new Stream(this);
    stream.accepted(call);
    this.#streams.set(call, stream);
    const listener = this.#accept?.(stream, opening);
    if (listener !== undefined) stream.listen(listener);
  }

  #refuse(call: number, reason: Status): void {
    this.writer.control(encodeStatus(call, reason, noMetadata));
  }

  /** A peer can cause control frames without end: by PINGs, by calls that it opens and cancels, by messages. */
  #checkAnswers(): void {
    const { maxCalls } = this.isServer ? this.limits : this.peer;
    const most = Math.max(this.limits.maxAnswerBytes, maxCalls * (this.peer.maxHeaderBytes + 256));
    if (this.writer.controlBytes > most) {
      throw new ProtocolError("what is asked for is not read", MultiplexCloseCode.TOO_MANY_REQUESTS);
    }
  }

  #receiveGoAway(payload: Uint8Array): void {
    const { lastCall, reason } = decodeGoAway(payload);
    const isFirst = this.#state.kind === "open";
    const gone = this.#leave(reason);
    // First, so that what is opened because of an end is opened elsewhere.
    if (isFirst) this.#goAway?.(reason);
    for (const [id, stream] of this.#streams) if (id > lastCall) stream.finish(gone);
    this.#endWaiting(gone);
  }

  /** Takes no more calls. */
  #leave(reason: string): Status {
    const text = `the server goes away${reason === "" ? "" : `: ${reason}`}`;
    const gone: Status = { ...status(Code.UNAVAILABLE, text), unprocessed: true };
    this.#state = { kind: "leaving", status: gone };
    return gone;
  }

  #shut(reason: Status): void {
    if (this.#state.kind === "closed") return;
    this.#state = { kind: "closed", status: { ...reason, unprocessed: true } };
    this.#keepalive?.stop();
    this.writer.stop();
    for (const stream of this.#streams.values()) stream.finish(reason);
    this.#endWaiting(this.#state.status);
  }

  #endWaiting(reason: Status): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { stream } of waiting) stream.finish(reason);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Not as a method: the `queueMicrotask` of browsers may be called on the window only.
    const defer = this.#defer;
    defer(this.#flushDeferred);
  }

  /** Opens what waits and can be opened, and writes what can be written. */
  #flush(): void {
    this.#openWaiting();
    this.writer.write();
    const isLast = this.#state.kind === "leaving" && this.#streams.size === 0 && this.#waiting.length === 0;
    if (isLast && this.writer.isIdle) this.close();
  }

  #openWaiting(): void {
    if (this.#waiting.length === 0) return;
    if (this.#state.kind !== "open") return this.#endWaiting(this.#state.status);
    if (this.#peer === undefined) return;
    while (this.#state.kind === "open" && this.#streams.size < this.#peer.maxCalls) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      if (this.#lastCall === MAX_NUMBER) {
        this.#waiting.unshift(call);
        return this.#endWaiting(this.#leave("the connection has used all numbers of calls"));
      }
      const id = this.#lastCall + 1;
      if (!call.stream.open(id, call.opening)) continue;
      this.#lastCall = id;
      if (!call.stream.hasEnded) this.#streams.set(id, call.stream);
    }
  }
}
