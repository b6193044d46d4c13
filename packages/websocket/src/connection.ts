import type { WebSocketError } from "./error.ts";
import type { MessageStream } from "./message-stream.ts";
import type { MessageWriter } from "./message-writer.ts";
import type { PreparedMessage } from "./prepared-message.ts";

/** How a connection ended. */
export interface Closed {
  /**
   * The code of the peer's close frame; 1005 where it had none; 1006 where the connection ended without a close
   * frame; or, when this side failed it (`cause` says why), the code that the peer was told.
   */
  readonly code: number;
  /** The reason of the peer's close frame, or why this side failed the connection; often empty. */
  readonly reason: string;
  /** Whether both sides have sent a close frame and none has failed the connection. */
  readonly clean: boolean;
  /** What went wrong, where something did. */
  readonly cause?: WebSocketError;
}

/** Where a connection is: `closing` from the first close frame, or the first failure, to the end of the socket. */
export type ConnectionState = "open" | "closing" | "closed";

/**
 * What an application does with its connections. One object may serve any number of them. Handlers are called
 * synchronously, in the order in which things happened. One that throws ends its connection with 1011, and the error
 * is thrown on, out of the socket's event.
 */
export interface WebSocketHandlers {
  /** A connection is ready. Called once, before everything else and before the connection is handed out. */
  open?(connection: WebSocketConnection): void;
  /**
   * A whole message, checked: a text (`isBinary` false) is valid UTF-8. The buffer is the handler's, but may be a
   * view of a somewhat larger one. Messages still come after `close()` was called, until the peer has closed too.
   */
  message?(connection: WebSocketConnection, data: Buffer, isBinary: boolean): void;
  /**
   * Takes the place of `message`, for a handler that keeps nothing of a message: most messages are where they were read, and
   * their memory is used again as soon as the call returns. It may be sent on, by `send()` of any connection.
   */
  view?(connection: WebSocketConnection, data: Buffer, isBinary: boolean): void;
  /**
   * Takes the place of `message`: a message begins, and is read as it comes, whatever its size. `maxMessageBytes`
   * does not hold then, but for compressed messages, which are inflated as a whole.
   */
  stream?(connection: WebSocketConnection, message: MessageStream): void;
  /** A ping came; it is answered without this. */
  ping?(connection: WebSocketConnection, payload: Buffer): void;
  /** A pong came, asked for or not. */
  pong?(connection: WebSocketConnection, payload: Buffer): void;
  /** Everything has left, after a `send()` that answered false. */
  drain?(connection: WebSocketConnection): void;
  /** The connection has ended. Called exactly once, and nothing after it. */
  close?(connection: WebSocketConnection, closed: Closed): void;
}

/** One WebSocket connection after its opening handshake. */
export interface WebSocketConnection {
  /** The subprotocol that both sides agreed to; empty for none. */
  readonly protocol: string;
  /** For the application's own use; at first what the option `data` gave. */
  data: unknown;
  /** Where the connection is. */
  readonly state: ConnectionState;
  /** Bytes of frames that wait in this process, because the tick has not ended or the peer reads slowly. */
  readonly bufferedAmount: number;
  /** Bytes that came since the opening handshake, frame headers and control frames among them. */
  readonly bytesReceived: number;
  /** Whether nothing is read: since `pause()`, or because a message stream is full of what nobody has iterated. */
  readonly isPaused: boolean;

  /**
   * Sends one message: a string as text, bytes as binary, a prepared message as what it is. Bytes
   * from 32 KiB on are not copied (on a server): leave them unchanged until they have left. Everything that is sent
   * within one tick, or while one read is handled, leaves in one write.
   *
   * Answers whether to go on. After false, wait for `drain`: what is sent all the same is kept up to the limit
   * `maxBufferedBytes`, and over it the connection is terminated. On a connection that is not open, the message is
   * dropped and the answer is false.
   */
  send(data: string | Uint8Array | PreparedMessage): boolean;
  /** As `send()`, for a text that is there as its UTF-8 bytes. Whether they are UTF-8 is not checked. */
  sendText(data: Uint8Array): boolean;
  /**
   * Begins a message that is written in pieces: a text, or with `isBinary` a binary one. It is never compressed. Until
   * it has ended, another message is an Error.
   */
  startMessage(isBinary?: boolean): MessageWriter;
  /**
   * Waits until there is room to send: at once where there is. Rejected with a `WebSocketError` when the connection
   * ends first.
   */
  ready(): Promise<void>;
  /** Sends a ping with up to 125 bytes (a RangeError over it). The `pong` handler is told of the answer. */
  ping(payload?: string | Uint8Array): void;
  /**
   * Starts the closing handshake (RFC 6455 section 7.1.2): what was sent before leaves first, then a close frame.
   * The `close` handler is called when the peer has answered, or after `closeTimeoutMs`. Does nothing on a connection
   * that closes already.
   *
   * `code` is 1000 by default, and one that may stand in a frame: 1000 to 1003, 1007 to 1014, 3000 to 4999.
   * `reason` has at most 123 bytes of UTF-8. A RangeError otherwise.
   */
  close(code?: number, reason?: string): void;
  /** Ends the socket at once; what waits is lost. The `close` handler follows, with code 1006 and the cause given. */
  terminate(cause?: WebSocketError): void;
  /** Stops reading: no message, ping, pong or close until `resume()`; the peer is held up by TCP. */
  pause(): void;
  /** Reads on. */
  resume(): void;
}
