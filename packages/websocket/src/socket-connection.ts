import type { Duplex } from "node:stream";
import { type Clock, systemClock, type Timer } from "./clock.ts";
import { CloseCode } from "./close-code.ts";
import { type CloseFrame, decodeClosePayload, encodeClosePayload } from "./close-frame.ts";
import type { Closed, ConnectionState, WebSocketConnection, WebSocketHandlers } from "./connection.ts";
import { WebSocketError } from "./error.ts";
import { FrameParser } from "./frame-parser.ts";
import type { Limits } from "./limits.ts";
import { MessageReceiver, type MessageTarget } from "./message-receiver.ts";
import { FIN, MAX_CONTROL_BYTES, Opcode } from "./opcode.ts";
import { Outbox } from "./outbox.ts";
import { PreparedMessage } from "./prepared-message.ts";

/** What a connection is made of, once its opening handshake is done. */
export interface SocketConnectionOptions {
  /** Which side this is: a client masks what it sends. */
  readonly role: "server" | "client";
  readonly handlers: WebSocketHandlers;
  readonly protocol: string;
  readonly limits: Limits;
  readonly clock?: Clock | undefined;
  readonly data?: unknown;
}

/** The closing handshake (RFC 6455 section 7.1), or what is left of it after a failure. */
interface Closing {
  readonly name: "closing";
  /** Ends the wait for the peer. */
  readonly timer: Timer;
  received: CloseFrame | undefined;
  failure: WebSocketError | undefined;
}

type State = { readonly name: "open" } | Closing | { readonly name: "closed" };

const OPEN: State = { name: "open" };
const CLOSED: State = { name: "closed" };
const EMPTY = Buffer.alloc(0);

const TEXT_FRAME = FIN | Opcode.TEXT;
const BINARY_FRAME = FIN | Opcode.BINARY;
const CLOSE_FRAME = FIN | Opcode.CLOSE;
const PING_FRAME = FIN | Opcode.PING;
const PONG_FRAME = FIN | Opcode.PONG;

const attached: unique symbol = Symbol("WebSocketConnection");

/** A socket knows its connection, so that all connections share the functions that listen. */
interface AttachedSocket extends Duplex {
  [attached]?: SocketConnection;
}

/** Whether a socket already belongs to a WebSocket connection. */
export function isAttached(socket: Duplex): boolean {
  return attached in socket;
}

/** A WebSocket connection over any duplex stream (RFC 6455 sections 5 to 7). */
export class SocketConnection implements WebSocketConnection, MessageTarget {
  readonly protocol: string;
  data: unknown;

  readonly #socket: AttachedSocket;
  readonly #handlers: WebSocketHandlers;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #client: boolean;
  readonly #highWaterMark: number;
  readonly #parser: FrameParser;
  readonly #outbox: Outbox;
  #state: State = OPEN;
  #wantsDrain = false;
  #paused = false;
  /** The last ping that came while too much waited for the peer: only that one is answered (section 5.5.3). */
  #latePing: Buffer | undefined;
  /** Why the socket ended without a closing handshake. */
  #loss: WebSocketError | undefined;

  /** Takes over a socket whose opening handshake is done, with the bytes that came behind it. */
  constructor(socket: Duplex, head: Buffer, options: SocketConnectionOptions) {
    const { limits } = options;
    this.protocol = options.protocol;
    this.data = options.data;
    this.#socket = socket;
    this.#handlers = options.handlers;
    this.#limits = limits;
    this.#clock = options.clock ?? systemClock;
    this.#client = options.role === "client";
    // Below its own mark a socket tells of no drain.
    this.#highWaterMark = Math.max(limits.highWaterMark, socket.writableHighWaterMark);
    this.#outbox = new Outbox(socket, this.#client);
    this.#parser = new FrameParser(new MessageReceiver(this), {
      masked: !this.#client,
      compression: false,
      limits,
    });
    this.#socket[attached] = this;
    if (head.length > 0) socket.unshift(head);
    socket.on("close", onClose);
    socket.on("error", onError);
    socket.on("drain", onDrain);
    socket.on("end", onEnd);
    this.#handlers.open?.(this);
    // Only now, and then not before this tick ends, do bytes flow.
    socket.on("data", onData);
  }

  get state(): ConnectionState {
    return this.#state.name;
  }

  get bufferedAmount(): number {
    return this.#state.name === "closed" ? 0 : this.#outbox.bufferedAmount;
  }

  send(data: string | Uint8Array | PreparedMessage): boolean {
    if (!this.#mayAdd()) return false;
    if (typeof data === "string") this.#outbox.text(TEXT_FRAME, data);
    else if (data instanceof PreparedMessage) this.#sendPrepared(data);
    else this.#outbox.frame(BINARY_FRAME, data);
    return this.#mayGoOn();
  }

  sendText(data: Uint8Array): boolean {
    if (!this.#mayAdd()) return false;
    this.#outbox.frame(TEXT_FRAME, data);
    return this.#mayGoOn();
  }

  ping(payload: string | Uint8Array = EMPTY): void {
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    if (bytes.length > MAX_CONTROL_BYTES) {
      throw new RangeError(`a ping carries at most ${MAX_CONTROL_BYTES} bytes, not ${bytes.length}`);
    }
    if (this.#mayAdd()) this.#outbox.frame(PING_FRAME, bytes);
  }

  close(code: number = CloseCode.NORMAL, reason = ""): void {
    const payload = encodeClosePayload(code, reason);
    if (this.#state.name !== "open") return;
    this.#outbox.frame(CLOSE_FRAME, payload);
    this.#state = this.#closing();
  }

  terminate(): void {
    this.#parser.stop();
    this.#outbox.clear();
    this.#socket.destroy();
  }

  pause(): void {
    if (this.#state.name === "closed") return;
    this.#paused = true;
    this.#parser.pause();
    this.#socket.pause();
  }

  resume(): void {
    if (this.#state.name === "closed") return;
    this.#paused = false;
    // What is held goes first, but not from inside the caller.
    if (this.#parser.holding) process.nextTick(readHeld, this);
    else this.#readOn();
  }

  /** A whole message came. */
  deliver(data: Buffer, isBinary: boolean): void {
    this.#handlers.message?.(this, data, isBinary);
  }

  /** A control frame came. */
  control(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.PING) this.#answerPing(payload);
    else if (opcode === Opcode.PONG) this.#handlers.pong?.(this, payload);
    else this.#receiveClose(payload);
  }

  /** Fails the connection (section 7.1.7): tells the peer why, reads no more, and ends the socket. */
  failed(error: WebSocketError): void {
    this.#parser.stop();
    if (this.#state.name === "closed") return;
    if (this.#state.name === "open") {
      const reason = error.message.slice(0, MAX_CONTROL_BYTES - 2);
      this.#outbox.frame(CLOSE_FRAME, encodeClosePayload(error.closeCode, reason));
      this.#state = this.#closing();
    }
    this.#state.failure ??= error;
    this.#endSocket();
  }

  /** Bytes came from the socket; or, without any, those that were held go on. */
  read(chunk?: Buffer): void {
    this.#outbox.hold();
    try {
      if (chunk !== undefined) this.#parser.push(chunk);
      else if (!this.#paused) this.#readOn();
    } catch (cause) {
      // Only a handler throws.
      this.failed(new WebSocketError("handler_failed", "the endpoint failed", { cause }));
      throw cause;
    } finally {
      this.#outbox.release();
    }
  }

  /** The peer ends its side of the socket. */
  ended(): void {
    if (this.#state.name === "open") {
      const where = this.#parser.insideMessage ? "inside a message" : "without a close frame";
      this.#loss = new WebSocketError("connection_lost", `the peer ended the connection ${where}`);
      this.#state = this.#closing();
    }
    this.#endSocket();
  }

  /** The socket failed; its end follows. */
  lost(cause: Error): void {
    this.#loss ??= new WebSocketError("connection_lost", `the socket failed: ${cause.message}`, { cause });
    this.#socket.destroy();
  }

  /** The socket has nothing left to write. */
  drained(): void {
    const ping = this.#latePing;
    this.#latePing = undefined;
    if (ping !== undefined && this.#state.name === "open") this.#outbox.frame(PONG_FRAME, ping);
    if (!this.#wantsDrain || this.#state.name !== "open") return;
    this.#wantsDrain = false;
    this.#handlers.drain?.(this);
  }

  /** The socket is gone. */
  finish(): void {
    const state = this.#state;
    if (state.name === "closed") return;
    this.#state = CLOSED;
    this.#parser.stop();
    this.#outbox.clear();
    if (state.name === "closing") state.timer.cancel();
    this.#handlers.close?.(this, this.#closed(state.name === "closing" ? state : undefined));
  }

  #closed(closing: Closing | undefined): Closed {
    if (closing?.failure !== undefined) {
      const { failure } = closing;
      return { code: failure.closeCode, reason: failure.message, clean: false, cause: failure };
    }
    if (closing?.received !== undefined) return { ...closing.received, clean: true };
    const lost = { code: CloseCode.ABNORMAL, reason: "", clean: false };
    return this.#loss === undefined ? lost : { ...lost, cause: this.#loss };
  }

  #sendPrepared(message: PreparedMessage): void {
    if (this.#client) this.#outbox.frame(message.isBinary ? BINARY_FRAME : TEXT_FRAME, message.payload);
    else this.#outbox.prepared(message.run);
  }

  #answerPing(payload: Buffer): void {
    if (this.#state.name === "open") {
      if (this.#outbox.bufferedAmount < this.#highWaterMark) this.#outbox.frame(PONG_FRAME, payload);
      else this.#latePing = Buffer.from(payload);
    }
    this.#handlers.ping?.(this, payload);
  }

  #receiveClose(payload: Buffer): void {
    let received: CloseFrame;
    try {
      received = decodeClosePayload(payload);
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      this.failed(error);
      return;
    }
    this.#parser.stop();
    if (this.#state.name === "open") {
      this.#outbox.frame(CLOSE_FRAME, payload);
      this.#state = this.#closing();
    }
    if (this.#state.name === "closing") this.#state.received = received;
    // The server ends the socket first, so that the waiting is the client's (section 7.1.1).
    if (!this.#client) this.#endSocket();
  }

  #mayAdd(): boolean {
    if (this.#state.name !== "open") return false;
    const { maxBufferedBytes } = this.#limits;
    if (this.#outbox.bufferedAmount < maxBufferedBytes) return true;
    const message = `the peer reads too slowly: more than ${maxBufferedBytes} bytes wait for it`;
    this.#state = this.#closing(new WebSocketError("buffer_overflow", message));
    this.terminate();
    return false;
  }

  #mayGoOn(): boolean {
    if (this.#outbox.bufferedAmount < this.#highWaterMark) return true;
    this.#wantsDrain = true;
    return false;
  }

  #readOn(): void {
    this.#parser.resume();
    if (!this.#paused) this.#socket.resume();
  }

  #endSocket(): void {
    this.#outbox.flush();
    this.#socket.end();
  }

  #closing(failure?: WebSocketError): Closing {
    const timer = this.#clock.after(this.#limits.closeTimeoutMs, () => this.#expire());
    return { name: "closing", timer, received: undefined, failure };
  }

  #expire(): void {
    if (this.#state.name === "closing" && this.#state.received === undefined) {
      const { closeTimeoutMs } = this.#limits;
      const message = `the peer did not close within ${closeTimeoutMs} ms`;
      this.#state.failure ??= new WebSocketError("timeout", message);
    }
    this.terminate();
  }
}

function onData(this: AttachedSocket, chunk: Buffer): void {
  this[attached]!.read(chunk);
}

function onDrain(this: AttachedSocket): void {
  this[attached]!.drained();
}

function onEnd(this: AttachedSocket): void {
  this[attached]!.ended();
}

function onError(this: AttachedSocket, error: Error): void {
  this[attached]!.lost(error);
}

function onClose(this: AttachedSocket): void {
  this[attached]!.finish();
}

function readHeld(connection: SocketConnection): void {
  connection.read();
}
