import { type Call, type CallListener, type CallStart, Code, type Status } from "@sluice/protocol";
import { backoffDelay } from "./backoff.ts";
import { ConnectionCall, type CallHost } from "./connection-call.ts";
import type { ConnectionState } from "./connection-state.ts";
import { Link, type LinkHost } from "./link.ts";
import { type ConnectionOptions, resolveConnectionOptions, type ResolvedOptions } from "./options.ts";
import { platformWebSocket, type WebSocketConstructor, webSocketUrl } from "./web-socket.ts";

/**
 * A connection that was open for less than this many milliseconds counts as a failed attempt, so that a server that
 * accepts and closes is not called without pause.
 */
const SHORT_LIFE_MS = 5_000;

/** The state, with what it owns. */
interface State {
  readonly shown: ConnectionState;
  /** The one for new calls, or the one that is being made. */
  readonly link?: Link;
  readonly openedAt?: number;
  /** Stops what waits for the next attempt. */
  readonly leave?: () => void;
}

/** Where a page or a worker says that the network is back. */
const platformEvents = globalThis as Partial<
  Record<"addEventListener" | "removeEventListener", (type: "online", listener: () => void) => void>
>;

/**
 * A connection to a gateway, over one WebSocket at a time: made at the first call, made anew when it is lost, and
 * replaced when the server goes away. Any number of calls share it.
 */
export class Connection {
  /** Where it leads. */
  readonly url: string;
  readonly #webSocket: WebSocketConstructor;
  readonly #options: ResolvedOptions;
  readonly #observers = new Set<(state: ConnectionState) => void>();
  readonly #waiting = new Set<ConnectionCall>();
  /** Links that take no new calls, with calls that go on. */
  readonly #leaving = new Set<Link>();
  #state: State = { shown: { kind: "idle" } };
  #failures = 0;
  #reason = "";
  #hasBeenOpen = false;
  readonly #links: LinkHost = {
    opened: (link) => this.#opened(link),
    goingAway: (link, reason) =>
      this.#leave(link, `the server goes away${reason === "" ? "" : `: ${reason}`}`),
    lost: (link, reason) => {
      this.#leaving.delete(link);
      this.#replace(link, reason);
    },
  };
  readonly #calls: CallHost = {
    refused: (call, link, reason) => {
      // Whatever made it refuse this call, it takes no other.
      if (this.#state.link === link) this.#leave(link, reason);
      this.#wait(call);
    },
    forget: (call) => this.#waiting.delete(call),
  };

  /** Throws a TypeError or RangeError that names the option that is wrong. Connects at the first call. */
  constructor(options: ConnectionOptions) {
    this.url = webSocketUrl(options.url);
    this.#webSocket = options.webSocket ?? platformWebSocket();
    this.#options = resolveConnectionOptions(options);
  }

  /** How it is now. */
  get state(): ConnectionState {
    return this.#state.shown;
  }

  /** Whether it has ever been open: whether WebSockets reach the gateway at all from here. */
  get hasBeenOpen(): boolean {
    return this.#hasBeenOpen;
  }

  /**
   * Whether so many attempts have failed in a row (`failFastAfter`) that calls do not wait for the next one. `connect`
   * makes an attempt at once.
   */
  get isFailing(): boolean {
    return this.#failures >= this.#options.failFastAfter && this.#state.shown.kind !== "open";
  }

  /**
   * Calls `observer` with each new state from now on, soon after it began. Answers how to stop that. It may be handed on
   * without its connection, as to React.
   */
  readonly subscribe = (observer: (state: ConnectionState) => void): (() => void) => {
    // Each has its own entry, also where a function is given twice.
    const entry = (state: ConnectionState): void => observer(state);
    this.#observers.add(entry);
    return () => this.#observers.delete(entry);
  };

  /** Connects, where it has not yet, or at once where it waits for the next attempt. */
  connect(): void {
    const { kind } = this.#state.shown;
    if (kind === "idle" || kind === "waiting") this.#attempt();
  }

  /**
   * Opens a call, with messages as bytes. It waits for a connection where there is none. `timeout` is watched here as
   * well: the call ends with DEADLINE_EXCEEDED. What goes wrong is told through `listener.end`.
   */
  open(start: CallStart, listener: CallListener): Call {
    const call = new ConnectionCall(this.#calls, this.#options, start, listener);
    this.#wait(call);
    return call;
  }

  /** Closes it for good. All calls end with UNAVAILABLE, and so do those that are opened afterwards. */
  close(): void {
    if (this.#state.shown.kind === "closed") return;
    const { link } = this.#state;
    this.#reason = "the client closed the connection";
    this.#enter({ shown: { kind: "closed" } });
    for (const each of [...this.#leaving, ...(link === undefined ? [] : [link])]) each.abandon(this.#reason);
    this.#giveUp();
  }

  #wait(call: ConnectionCall): void {
    const { shown, link } = this.#state;
    if (shown.kind === "open" && link !== undefined) return call.attach(link);
    if (shown.kind === "idle" || (shown.kind === "waiting" && this.#failures === 0)) this.#attempt();
    this.#waiting.add(call);
    if (shown.kind !== "closed" && !this.isFailing) return;
    // A listener is told nothing before `open` has returned.
    queueMicrotask(() => {
      if (this.#waiting.delete(call)) call.giveUp(this.#unavailable());
    });
  }

  #attempt(): void {
    let link: Link;
    try {
      link = new Link(this.#links, this.url, this.#webSocket, this.#options);
    } catch (error) {
      // Browsers throw for what the policy of a page forbids.
      return this.#fail(String(error));
    }
    this.#enter({ shown: { kind: "connecting", attempt: this.#failures + 1 }, link });
  }

  #opened(link: Link): void {
    this.#hasBeenOpen = true;
    this.#enter({ shown: { kind: "open" }, link, openedAt: this.#options.clock.now() });
    const calls = [...this.#waiting];
    this.#waiting.clear();
    for (const call of calls) if (!call.hasEnded) this.#wait(call);
  }

  /** A link takes no new calls. */
  #leave(link: Link, reason: string): void {
    this.#leaving.add(link);
    this.#replace(link, reason);
  }

  /** Looks for another link where this is the one for new calls. */
  #replace(link: Link, reason: string): void {
    if (this.#state.link === link) this.#fail(reason);
  }

  /** There is no link for new calls any more, or still none. */
  #fail(reason: string): void {
    const { clock, random, backoff } = this.#options;
    const { openedAt } = this.#state;
    const hasServed = openedAt !== undefined && clock.now() - openedAt >= SHORT_LIFE_MS;
    this.#failures = hasServed ? 0 : this.#failures + 1;
    this.#reason = reason;
    const delayMs = backoffDelay(this.#failures, random, backoff);
    const attempt = (): void => this.#attempt();
    const timer = clock.after(delayMs, attempt);
    platformEvents.addEventListener?.("online", attempt);
    const leave = (): void => {
      timer.cancel();
      platformEvents.removeEventListener?.("online", attempt);
    };
    this.#enter({ shown: { kind: "waiting", failures: this.#failures, reason, delayMs }, leave });
    if (this.isFailing) this.#giveUp();
    else if (this.#failures === 0 && this.#waiting.size > 0) this.#attempt();
  }

  #giveUp(): void {
    const status = this.#unavailable();
    for (const call of this.#waiting) {
      this.#waiting.delete(call);
      call.giveUp(status);
    }
  }

  #unavailable(): Status {
    return {
      code: Code.UNAVAILABLE,
      message: `no connection to ${this.url}: ${this.#reason}`,
      unprocessed: true,
    };
  }

  #enter(state: State): void {
    this.#state.leave?.();
    this.#state = state;
    for (const observer of this.#observers) {
      // In turns of their own, so that one that throws harms neither the others nor the calls.
      queueMicrotask(() => {
        if (this.#observers.has(observer)) observer(state.shown);
      });
    }
  }
}
