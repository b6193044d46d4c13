import { CloseCode } from "./close-code.ts";
import { checkProtocols, checkUrl, connectWebSocket, type ConnectOptions } from "./connect.ts";
import type { Closed, WebSocketConnection } from "./connection.ts";
import { WebSocketError } from "./error.ts";

/** The `message` event: `data` is a string, or for binary what `binaryType` says. */
export class SocketMessageEvent extends Event {
  readonly data: string | Buffer | ArrayBuffer;

  constructor(data: string | Buffer | ArrayBuffer) {
    super("message");
    this.data = data;
  }
}

/** The `close` event: the last one. */
export class SocketCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;

  constructor({ code, reason, clean }: Closed) {
    super("close");
    this.code = code;
    this.reason = reason;
    this.wasClean = clean;
  }
}

/** The `error` event: a `close` event follows. */
export class SocketErrorEvent extends Event {
  readonly error: WebSocketError;
  readonly message: string;

  constructor(error: WebSocketError) {
    super("error");
    this.error = error;
    this.message = error.message;
  }
}

/** What `EventWebSocket` takes besides the URL. */
export type EventWebSocketOptions = Omit<ConnectOptions, "handlers" | "protocols" | "data">;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/**
 * A client with the names of the browser's `WebSocket`, for code that is written for both: the events `open`,
 * `message`, `error` and `close`, as listeners or as `on…` properties, `readyState`, `send()`, `close()`. Unlike the
 * browser's it gives binary messages as `Buffer`, unless `binaryType` is `"arraybuffer"`; there are no blobs.
 */
export class EventWebSocket extends EventTarget {
  static readonly CONNECTING: 0 = CONNECTING;
  static readonly OPEN: 1 = OPEN;
  static readonly CLOSING: 2 = CLOSING;
  static readonly CLOSED: 3 = CLOSED;

  readonly url: string;
  /** How binary messages are given. */
  binaryType: "nodebuffer" | "arraybuffer" = "nodebuffer";
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: SocketMessageEvent) => void) | null = null;
  onerror: ((event: SocketErrorEvent) => void) | null = null;
  onclose: ((event: SocketCloseEvent) => void) | null = null;

  #readyState: 0 | 1 | 2 | 3 = CONNECTING;
  #connection: WebSocketConnection | undefined;
  readonly #giveUp = new AbortController();

  /** Connects at once. Throws a `WebSocketError` for a wrong URL, a RangeError for a wrong subprotocol. */
  constructor(
    url: string | URL,
    protocols: string | readonly string[] = [],
    options: EventWebSocketOptions = {},
  ) {
    super();
    this.url = checkUrl(url).href;
    void this.#connect(checkProtocols(typeof protocols === "string" ? [protocols] : protocols), options);
  }

  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  get readyState(): 0 | 1 | 2 | 3 {
    if (this.#readyState === OPEN && this.#connection?.state !== "open") return CLOSING;
    return this.#readyState;
  }

  /** The subprotocol that was agreed to; empty for none, and before the connection is open. */
  get protocol(): string {
    return this.#connection?.protocol ?? "";
  }

  /** Bytes that wait to leave. */
  get bufferedAmount(): number {
    return this.#connection?.bufferedAmount ?? 0;
  }

  /** Sends a message; on a connection that is not open any more it is dropped. Throws before it is open. */
  send(data: string | ArrayBuffer | ArrayBufferView): void {
    if (this.#readyState === CONNECTING) throw new Error("send() before the connection is open");
    if (typeof data === "string") this.#connection?.send(data);
    else if (ArrayBuffer.isView(data)) {
      this.#connection?.send(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    } else this.#connection?.send(new Uint8Array(data));
  }

  /** Closes, or gives up connecting. Throws a RangeError for a code but 1000 and 3000 to 4999. */
  close(code: number = CloseCode.NORMAL, reason = ""): void {
    if (code !== CloseCode.NORMAL && !(code >= 3000 && code <= 4999)) {
      throw new RangeError(`close code ${code}: it must be 1000, or 3000 to 4999`);
    }
    if (this.#readyState === CONNECTING) {
      this.#readyState = CLOSING;
      this.#giveUp.abort();
    } else {
      this.#connection?.close(code, reason);
    }
  }

  async #connect(protocols: readonly string[], options: EventWebSocketOptions): Promise<void> {
    const { signal } = options;
    const signals =
      signal === undefined ? this.#giveUp.signal : AbortSignal.any([signal, this.#giveUp.signal]);
    try {
      await connectWebSocket(this.url, {
        ...options,
        protocols,
        signal: signals,
        handlers: {
          open: (connection) => {
            this.#connection = connection;
            // Not before the promise's reader could listen.
            connection.pause();
          },
          message: (_connection, data, isBinary) => this.#message(data, isBinary),
          close: (_connection, closed) => this.#close(closed),
        },
      });
    } catch (error) {
      const cause =
        error instanceof WebSocketError
          ? error
          : new WebSocketError("connect_failed", error instanceof Error ? error.message : String(error), {
              cause: error,
            });
      this.#close({ code: CloseCode.ABNORMAL, reason: "", clean: false, cause });
      return;
    }
    this.#readyState = OPEN;
    this.#emit(new Event("open"), this.onopen);
    this.#connection?.resume();
  }

  #message(data: Buffer, isBinary: boolean): void {
    if (this.readyState !== OPEN) return;
    this.#emit(new SocketMessageEvent(isBinary ? this.#binary(data) : data.toString()), this.onmessage);
  }

  #binary(data: Buffer): Buffer | ArrayBuffer {
    return this.binaryType === "nodebuffer" ? data : Uint8Array.from(data).buffer;
  }

  #close(closed: Closed): void {
    this.#readyState = CLOSED;
    if (closed.cause !== undefined) this.#emit(new SocketErrorEvent(closed.cause), this.onerror);
    this.#emit(new SocketCloseEvent(closed), this.onclose);
  }

  #emit<Kind extends Event>(event: Kind, listener: ((event: Kind) => void) | null): void {
    listener?.call(this, event);
    this.dispatchEvent(event);
  }
}
