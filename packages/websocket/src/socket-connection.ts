import type { Duplex } from "node:stream";
import { CompressingOutbox } from "./deflate/compressing-outbox.ts";
import { attach, type SocketListener, startReading } from "./attached-socket.ts";
import { type Clock, systemClock } from "./clock.ts";
import { CloseCode } from "./close-code.ts";
import { type Closing, closedFrom, startClosing } from "./closing.ts";
import { decodeClosePayload, encodeClosePayload, encodeFailurePayload } from "./close-frame.ts";
import { encodePingPayload } from "./ping-frame.ts";
import type { ConnectionState, WebSocketConnection, WebSocketHandlers } from "./connection.ts";
import type { SocketConnectionOptions } from "./socket-connection-options.ts";
import { WebSocketError } from "./error.ts";
import { FrameParser } from "./frame-parser.ts";
import { Intake } from "./intake.ts";
import type { Limits } from "./limits.ts";
import { MessageReceiver, type MessageTarget } from "./message-receiver.ts";
import type { MessageStream } from "./message-stream.ts";
import { FragmentWriter, type MessageWriter } from "./message-writer.ts";
import { noRoom, Room } from "./room.ts";
import type { MessageOutbox } from "./message-outbox.ts";
import { FIN, Opcode } from "./opcode.ts";
import { Outbox } from "./outbox.ts";
import { PreparedMessage } from "./prepared-message.ts";

type State = { readonly name: "open" } | Closing | { readonly name: "closed" };

const OPEN: State = { name: "open" };
const CLOSED: State = { name: "closed" };

/** A WebSocket connection over any duplex stream (RFC 6455 sections 5 to 7). */
export class SocketConnection implements WebSocketConnection, MessageTarget, SocketListener {
  readonly protocol: string;
  data: unknown;
  bytesReceived = 0;

  readonly #socket: Duplex;
  readonly #handlers: WebSocketHandlers;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #client: boolean;
  readonly #highWaterMark: number;
  readonly #parser: FrameParser;
  readonly #intake: Intake;
  readonly #receiver: MessageReceiver;
  readonly #outbox: Outbox;
  /** The outbox itself, or what compresses before it. */
  readonly #messages: MessageOutbox;
  #state: State = OPEN;
  #wantsDrain = false;
  /** Those who wait for room. */
  #room: Room | undefined;
  /** The message that is being written in pieces. */
  #writer: FragmentWriter | undefined;
  #endedMeanwhile = false;
  #goneMeanwhile = false;
  /** The last ping that came while too much waited for the peer: only that one is answered (section 5.5.3). */
  #latePing: Buffer | undefined;
  /** Why the socket ended without a closing handshake. */
  #loss: WebSocketError | undefined;

  /** Takes over a socket whose opening handshake is done, with the bytes that came behind it. */
  constructor(socket: Duplex, head: Buffer, options: SocketConnectionOptions) {
    const { limits, compression } = options;
    this.protocol = options.protocol;
    this.data = options.data;
    this.#socket = socket;
    this.#handlers = options.handlers;
    this.#limits = limits;
    this.#clock = options.clock ?? systemClock;
    this.#client = options.role === "client";
    // Below its own mark a socket tells of no drain.
    this.#highWaterMark = Math.max(limits.highWaterMark, socket.writableHighWaterMark);
    this.#outbox = new Outbox(socket, this.#client, () => this.#hasRoom());
    this.#receiver = new MessageReceiver(this, compression, limits.maxMessageBytes);
    this.#parser = new FrameParser(this.#receiver, {
      masked: !this.#client,
      compression: compression !== undefined,
      unlimited: this.takesStreams,
      lends: this.#handlers.view !== undefined && !this.takesStreams,
      limits,
    });
    this.#messages =
      compression === undefined
        ? this.#outbox
        : new CompressingOutbox(this.#outbox, compression, this.#client, () => {
            this.#outbox.flush();
            this.#hasRoom();
          });
    this.#intake = new Intake(socket, this.#parser);
    attach(socket, this);
    if (head.length > 0) socket.unshift(head);
    startReading(socket);
    try {
      this.#handlers.open?.(this);
    } catch (cause) {
      this.#handlerFailed(cause);
    }
  }

  get state(): ConnectionState {
    return this.#state.name;
  }

  get bufferedAmount(): number {
    return this.#state.name === "closed" ? 0 : this.#messages.bufferedAmount;
  }

  get isPaused(): boolean {
    return this.#intake.isPaused;
  }

  get takesStreams(): boolean {
    return this.#handlers.stream !== undefined;
  }

  send(data: string | Uint8Array | PreparedMessage): boolean {
    if (!this.#mayStart()) return false;
    if (typeof data === "string") this.#messages.add(FIN | Opcode.TEXT, data);
    else if (data instanceof PreparedMessage) this.#messages.addPrepared(data);
    else this.#messages.add(FIN | Opcode.BINARY, data);
    return this.#mayGoOn();
  }

  sendText(data: Uint8Array): boolean {
    return this.#mayStart() && this.#send(FIN | Opcode.TEXT, data);
  }

  startMessage(isBinary = false): MessageWriter {
    this.#mayStart();
    this.#writer = new FragmentWriter(isBinary, (first, data) => this.#send(first, data));
    return this.#writer;
  }

  ready(): Promise<void> {
    if (this.#state.name !== "open") return Promise.reject(noRoom());
    if (this.#mayGoOn()) return Promise.resolve();
    this.#room ??= new Room();
    return this.#room.wait();
  }

  ping(payload: string | Uint8Array = ""): void {
    const bytes = encodePingPayload(payload);
    if (this.#mayAdd()) this.#outbox.frame(FIN | Opcode.PING, bytes);
  }

  close(code: number = CloseCode.NORMAL, reason = ""): void {
    const payload = encodeClosePayload(code, reason);
    if (this.#state.name !== "open") return;
    this.#messages.add(FIN | Opcode.CLOSE, payload);
    this.#state = this.#closing();
  }

  terminate(cause?: WebSocketError): void {
    if (this.#state.name === "closed") return;
    this.#loss ??= cause;
    if (this.#state.name === "open") this.#state = this.#closing();
    this.#intake.stop();
    this.#messages.close();
    this.#socket.destroy();
    if (this.#goneMeanwhile) this.finish();
  }

  pause(): void {
    if (this.#state.name !== "closed") this.#intake.pause();
  }

  resume(): void {
    if (this.#state.name === "closed") return;
    this.#intake.resume();
    // Not from inside the caller.
    if (this.#intake.isHolding) process.nextTick(() => this.read());
  }

  /** Nothing may overtake a message that is being inflated on a thread, or read as a stream. */
  suspend(): void {
    this.#intake.suspend();
  }

  proceed(rest: () => void): void {
    if (this.#state.name === "closed") return;
    this.#intake.proceed(rest);
    this.read();
  }

  /** A whole message came. */
  deliver(data: Buffer, isBinary: boolean): void {
    const handlers = this.#handlers;
    if (handlers.view === undefined) handlers.message?.(this, data, isBinary);
    else handlers.view(this, data, isBinary);
  }

  /** A message began that is handed out as a stream. */
  deliverStream(stream: MessageStream): void {
    this.#handlers.stream?.(this, stream);
  }

  /** A control frame came. */
  control(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.PING) this.#answerPing(payload);
    else if (opcode === Opcode.PONG) this.#handlers.pong?.(this, payload);
    else this.#receiveClose(payload);
  }

  /** Fails the connection (section 7.1.7): tells the peer why, reads no more, and ends the socket. */
  failed(error: WebSocketError): void {
    this.#intake.stop();
    if (this.#state.name === "closed") return;
    this.#messages.drop();
    if (this.#state.name === "open") {
      this.#outbox.frame(FIN | Opcode.CLOSE, encodeFailurePayload(error));
      this.#state = this.#closing();
    }
    this.#state.failure ??= error;
    this.#endSocket();
  }

  /** Bytes came from the socket; or, without any, those that were held go on. */
  read(chunk?: Buffer): void {
    this.#outbox.hold();
    try {
      if (chunk === undefined) this.#readHeld();
      else {
        this.bytesReceived += chunk.length;
        this.#parser.push(chunk);
      }
    } catch (cause) {
      // Nothing else throws.
      this.#handlerFailed(cause);
    } finally {
      this.#outbox.release();
    }
  }

  /** The peer ends its side of the socket. */
  ended(): void {
    // A socket tells of its end even while it is paused.
    this.#endedMeanwhile = this.#intake.isHolding;
    if (this.#endedMeanwhile) return;
    if (this.#state.name === "open") {
      const where = this.#parser.insideMessage ? "inside a message" : "without a close frame";
      this.#loss = new WebSocketError("connection_lost", `the peer ended the connection ${where}`);
      this.#state = this.#closing();
    }
    this.#endSocket();
  }

  timed(): void {
    this.#outbox.timed();
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
    if (ping !== undefined && this.#state.name === "open") this.#outbox.frame(FIN | Opcode.PONG, ping);
    if (!this.#wantsDrain || this.#state.name !== "open") return;
    this.#wantsDrain = false;
    this.#room?.open();
    try {
      this.#handlers.drain?.(this);
    } catch (cause) {
      this.#handlerFailed(cause);
    }
  }

  /** The socket is gone. */
  finish(): void {
    const state = this.#state;
    if (state.name === "closed") return;
    if (this.#intake.isHolding) {
      this.#goneMeanwhile = true;
      return;
    }
    this.#state = CLOSED;
    this.#intake.stop();
    this.#messages.close();
    this.#receiver.close();
    if (state.name === "closing") state.timer.cancel();
    this.#room?.close();
    this.#handlers.close?.(this, closedFrom(state.name === "closing" ? state : undefined, this.#loss));
  }

  /** Bytes have left, perhaps too few for the socket to tell of a drain. */
  #hasRoom(): void {
    if (this.#messages.bufferedAmount < this.#highWaterMark) this.drained();
  }

  #answerPing(payload: Buffer): void {
    if (this.#state.name === "open") {
      if (this.#outbox.bufferedAmount < this.#highWaterMark) this.#outbox.frame(FIN | Opcode.PONG, payload);
      else this.#latePing = Buffer.from(payload);
    }
    this.#handlers.ping?.(this, payload);
  }

  #receiveClose(payload: Buffer): void {
    const received = decodeClosePayload(payload);
    if (received instanceof WebSocketError) {
      this.failed(received);
      return;
    }
    this.#parser.stop();
    const unsent = this.#messages.drop();
    if (unsent || this.#state.name === "open") this.#outbox.frame(FIN | Opcode.CLOSE, payload);
    if (this.#state.name === "open") this.#state = this.#closing();
    if (this.#state.name === "closing") this.#state.received = received;
    // The server ends the socket first, so that the waiting is the client's (section 7.1.1).
    if (!this.#client) this.#endSocket();
  }

  #mayStart(): boolean {
    if (this.#writer?.ended === false) {
      throw new Error("another message is being written on this connection: end it first");
    }
    return this.#mayAdd();
  }

  #send(first: number, data: string | Uint8Array): boolean {
    if (!this.#mayAdd()) return false;
    this.#messages.add(first, data);
    return this.#mayGoOn();
  }

  #mayAdd(): boolean {
    if (this.#state.name !== "open") return false;
    const { maxBufferedBytes } = this.#limits;
    if (this.#messages.bufferedAmount < maxBufferedBytes) return true;
    const message = `the peer reads too slowly: more than ${maxBufferedBytes} bytes wait for it`;
    this.terminate(new WebSocketError("buffer_overflow", message));
    return false;
  }

  #mayGoOn(): boolean {
    if (this.#messages.bufferedAmount < this.#highWaterMark) return true;
    this.#wantsDrain = true;
    return false;
  }

  #readHeld(): void {
    this.#intake.readHeld();
    if (this.#intake.isHolding) return;
    if (this.#endedMeanwhile) this.ended();
    if (this.#goneMeanwhile) this.finish();
  }

  #handlerFailed(cause: unknown): never {
    this.failed(new WebSocketError("handler_failed", "the endpoint failed", { cause }));
    throw cause;
  }

  #endSocket(): void {
    this.#outbox.flush();
    this.#socket.end();
  }

  #closing(): Closing {
    return startClosing(this.#clock, this.#limits.closeTimeoutMs, (late) => this.terminate(late));
  }
}
