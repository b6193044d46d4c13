import {
  type CallListener,
  type CallStart,
  type Call,
  type ClientMultiplex,
  createClientMultiplex,
  MULTIPLEX_PROTOCOL,
  MultiplexCloseCode,
  type Timer,
  type Wire,
} from "@sluice/protocol";
import type { ResolvedOptions } from "./options.ts";
import type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";

/** Bytes in the WebSocket's own buffer from which nothing is added, because they cannot be overtaken any more. */
const FULL_BYTES: number = 64 * 1024;
const ROOM_BYTES: number = 32 * 1024;

/** Milliseconds after which a full buffer is looked at again, because WebSockets have no event for it. */
const LOOK_AGAIN_MS = 4;

/** What a connection is told of one of its WebSockets. */
export interface LinkHost {
  /** The server has said its first word. */
  opened(link: Link): void;
  /** The server takes no new calls on it. */
  goingAway(link: Link, reason: string): void;
  /** It is gone; told once, and before the ends of its calls where the server or the network closed it. */
  lost(link: Link, reason: string): void;
}

/** One WebSocket, from the attempt to connect to its end, and the calls on it. */
export class Link implements Wire {
  readonly #host: LinkHost;
  readonly #options: ResolvedOptions;
  readonly #socket: WebSocketLike;
  #multiplex: ClientMultiplex | undefined;
  /** The limit of time for connecting; afterwards, the next look at a full buffer. */
  #timer: Timer;
  #isOpen = false;
  #isBlocked = false;
  #isLost = false;
  /** What the platform said of an error; browsers say nothing. */
  #trouble = "";

  /** Throws what the class of WebSockets throws for a URL that it does not take. */
  constructor(host: LinkHost, url: string, webSocket: WebSocketConstructor, options: ResolvedOptions) {
    this.#host = host;
    this.#options = options;
    const { connectTimeoutMs } = options;
    const socket = new webSocket(url, MULTIPLEX_PROTOCOL);
    this.#socket = socket;
    this.#timer = options.clock.after(connectTimeoutMs, () =>
      this.abandon(`no answer within ${connectTimeoutMs} ms`),
    );
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#start());
    socket.addEventListener("message", ({ data }: { readonly data?: unknown }) => this.#receive(data));
    socket.addEventListener("error", ({ message }: { readonly message?: unknown }) => {
      if (typeof message === "string") this.#trouble = message;
    });
    socket.addEventListener(
      "close",
      ({ code = 1006, reason = "" }: { readonly code?: number; readonly reason?: string }) => {
        if (this.#isLost) return;
        this.#lose(`the WebSocket closed with ${code}${told(reason)}${told(this.#trouble)}`);
        this.#multiplex?.closed(code, reason);
      },
    );
  }

  /** Opens a call on a link that is open. */
  open(start: CallStart, listener: CallListener): Call {
    return (this.#multiplex as ClientMultiplex).open(start, listener);
  }

  /** Gives the WebSocket up, with all calls, whatever the other side says. */
  abandon(reason: string): void {
    if (this.#isLost) return;
    this.#lose(reason);
    this.#socket.close(MultiplexCloseCode.NORMAL);
    this.#multiplex?.closed(MultiplexCloseCode.NORMAL, reason);
  }

  send(message: Uint8Array): boolean {
    // The memory is the multiplex's own, never shared with another thread.
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
    if (this.#socket.bufferedAmount < FULL_BYTES) return true;
    this.#isBlocked = true;
    this.#lookAgain();
    return false;
  }

  /** The multiplex ends it: because of an error, or because a server that goes away has no call left. */
  close(code: number, reason: string): void {
    // Not when the close handshake is over, which may take minutes on a dead network.
    this.#lose(`closed with ${code}${told(reason)}`);
    this.#socket.close(code, reason);
  }

  #start(): void {
    if (this.#isLost) return;
    const { protocol } = this.#socket;
    if (protocol !== MULTIPLEX_PROTOCOL) {
      return this.abandon(`the server selected the subprotocol "${protocol}", not ${MULTIPLEX_PROTOCOL}`);
    }
    const { clock, limits, keepaliveIntervalMs, keepaliveTimeoutMs } = this.#options;
    this.#multiplex = createClientMultiplex(this, {
      limits,
      // Browsers call it on the window only.
      defer: (flush) => queueMicrotask(flush),
      keepalive: { clock, intervalMs: keepaliveIntervalMs, timeoutMs: keepaliveTimeoutMs },
      goAway: (reason) => this.#host.goingAway(this, reason),
    });
  }

  #receive(data: unknown): void {
    const multiplex = this.#multiplex;
    if (multiplex === undefined || this.#isLost) return;
    if (!(data instanceof ArrayBuffer)) {
      return multiplex.close(MultiplexCloseCode.PROTOCOL_ERROR, "a text message");
    }
    multiplex.receive(new Uint8Array(data));
    if (this.#isLost) return;
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#timer.cancel();
      this.#host.opened(this);
    }
    // Sooner than the timer, which pages in the background get once a second only.
    if (this.#isBlocked) this.#look();
  }

  #lookAgain(): void {
    this.#timer.cancel();
    this.#timer = this.#options.clock.after(LOOK_AGAIN_MS, () => this.#look());
  }

  #look(): void {
    if (this.#socket.bufferedAmount > ROOM_BYTES) return this.#lookAgain();
    this.#isBlocked = false;
    this.#timer.cancel();
    this.#multiplex?.drain();
  }

  #lose(reason: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#timer.cancel();
    this.#host.lost(this, reason);
  }
}

function told(text: string): string {
  return text === "" ? "" : `: ${text}`;
}
