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

/** Where a WebSocket stands. `full`: its own buffer is, and is looked at again when the timer fires. */
type State =
  | { readonly kind: "connecting"; readonly timer: Timer; readonly multiplex?: ClientMultiplex }
  | { readonly kind: "open"; readonly multiplex: ClientMultiplex }
  | { readonly kind: "full"; readonly multiplex: ClientMultiplex; readonly timer: Timer }
  | { readonly kind: "lost" };

/** One WebSocket, from the attempt to connect to its end, and the calls on it. */
export class Link implements Wire {
  readonly #host: LinkHost;
  readonly #options: ResolvedOptions;
  readonly #socket: WebSocketLike;
  #state: State;
  /** What the platform said of an error; browsers say nothing. */
  #trouble = "";

  /** Throws what the class of WebSockets throws for a URL that it does not take. */
  constructor(host: LinkHost, url: string, webSocket: WebSocketConstructor, options: ResolvedOptions) {
    this.#host = host;
    this.#options = options;
    const { clock, connectTimeoutMs } = options;
    const socket = new webSocket(url, MULTIPLEX_PROTOCOL);
    this.#socket = socket;
    const timer = clock.after(connectTimeoutMs, () =>
      this.abandon(`no answer within ${connectTimeoutMs} ms`),
    );
    this.#state = { kind: "connecting", timer };
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#start(timer));
    socket.addEventListener("message", ({ data }: { readonly data?: unknown }) => this.#receive(data));
    socket.addEventListener("error", ({ message }: { readonly message?: unknown }) => {
      if (typeof message === "string") this.#trouble = message;
    });
    socket.addEventListener(
      "close",
      ({ code = 1006, reason = "" }: { readonly code?: number; readonly reason?: string }) => {
        const multiplex = this.#lose(
          `the WebSocket closed with ${code}${told(reason)}${told(this.#trouble)}`,
        );
        multiplex?.closed(code, reason === "" ? this.#trouble : reason);
      },
    );
  }

  /** Opens a call on a link that is open. */
  open(start: CallStart, listener: CallListener): Call {
    const multiplex = multiplexOf(this.#state);
    if (multiplex === undefined) throw new Error("a call on a link that is not open");
    return multiplex.open(start, listener);
  }

  /** Gives the WebSocket up, with all calls, whatever the other side says. */
  abandon(reason: string): void {
    if (this.#state.kind === "lost") return;
    const multiplex = this.#lose(reason);
    this.#socket.close(MultiplexCloseCode.NORMAL);
    multiplex?.closed(MultiplexCloseCode.NORMAL, reason);
  }

  send(message: Uint8Array): boolean {
    // The memory is the multiplex's own, never shared with another thread.
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
    if (this.#state.kind !== "open" || this.#socket.bufferedAmount < FULL_BYTES) return true;
    this.#lookLater(this.#state.multiplex);
    return false;
  }

  /** The multiplex ends it: because of an error, or because a server that goes away has no call left. */
  close(code: number, reason: string): void {
    // Not when the close handshake is over, which may take minutes on a dead network.
    this.#lose(`closed with ${code}${told(reason)}`);
    this.#socket.close(code, reason);
  }

  #start(timer: Timer): void {
    if (this.#state.kind === "lost") return;
    const { protocol } = this.#socket;
    if (protocol !== MULTIPLEX_PROTOCOL) {
      return this.abandon(`the server selected the subprotocol "${protocol}", not ${MULTIPLEX_PROTOCOL}`);
    }
    const { clock, limits, keepaliveIntervalMs, keepaliveTimeoutMs } = this.#options;
    const multiplex = createClientMultiplex(this, {
      limits,
      // Browsers call it on the window only.
      defer: (flush) => queueMicrotask(flush),
      keepalive: { clock, intervalMs: keepaliveIntervalMs, timeoutMs: keepaliveTimeoutMs },
      goAway: (reason) => this.#host.goingAway(this, reason),
    });
    this.#state = { kind: "connecting", timer, multiplex };
  }

  #receive(data: unknown): void {
    const multiplex = multiplexOf(this.#state);
    if (multiplex === undefined) return;
    if (!(data instanceof ArrayBuffer)) {
      return multiplex.close(MultiplexCloseCode.PROTOCOL_ERROR, "a text message");
    }
    multiplex.receive(new Uint8Array(data));
    this.#received(multiplex);
  }

  #received(multiplex: ClientMultiplex): void {
    const state = this.#state;
    if (state.kind === "connecting") {
      state.timer.cancel();
      this.#state = { kind: "open", multiplex };
      this.#host.opened(this);
    } else if (state.kind === "full") {
      // Sooner than the timer, which pages in the background get once a second only.
      this.#look(state);
    }
  }

  #lookLater(multiplex: ClientMultiplex): void {
    const timer = this.#options.clock.after(LOOK_AGAIN_MS, () => {
      if (this.#state.kind === "full") this.#look(this.#state);
    });
    this.#state = { kind: "full", multiplex, timer };
  }

  #look({ multiplex, timer }: State & { readonly kind: "full" }): void {
    timer.cancel();
    if (this.#socket.bufferedAmount > ROOM_BYTES) return this.#lookLater(multiplex);
    this.#state = { kind: "open", multiplex };
    multiplex.drain();
  }

  /** It is gone. Answers the multiplex whose calls are still to be ended; none where that was done before. */
  #lose(reason: string): ClientMultiplex | undefined {
    const state = this.#state;
    if (state.kind === "lost") return undefined;
    this.#state = { kind: "lost" };
    if ("timer" in state) state.timer.cancel();
    this.#host.lost(this, reason);
    return multiplexOf(state);
  }
}

function multiplexOf(state: State): ClientMultiplex | undefined {
  return state.kind === "lost" ? undefined : state.multiplex;
}

function told(text: string): string {
  return text === "" ? "" : `: ${text}`;
}
