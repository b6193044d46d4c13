import { boundHandlers } from "./bound-handlers.ts";
import { type Clock, systemClock } from "./clock.ts";
import { CloseCode } from "./close-code.ts";
import type { WebSocketConnection, WebSocketHandlers } from "./connection.ts";
import { WebSocketError } from "./error.ts";
import { TimerWheel, WheelEntry } from "./timer-wheel.ts";

/** When connections are asked whether they live, and when they are ended. What is not given has the default of `defaultHeartbeat`. */
export interface HeartbeatOptions {
  /**
   * Milliseconds from one ping to the next; the first comes after half to all of that, so that connections which
   * opened together are not pinged together. Default 25,000: proxies end what is silent for 30 or 60 seconds.
   * Infinity for no pings.
   */
  readonly intervalMs: number;
  /**
   * Milliseconds for the peer to show life after a ping: by the pong, by any other bytes, or by taking some of what
   * waits for it. Default 20,000. After it the connection is terminated: `closed` has the code 1006 and a cause with
   * the code `timeout`. The time does not run while the application has paused the connection.
   */
  readonly patienceMs: number;
  /**
   * Milliseconds that may pass without a message from the peer that begins or is whole (pings and pongs are none) or a call of `touch()`.
   * Default Infinity, because a client that only listens is welcome. After it the connection is closed with 1001.
   */
  readonly idleMs: number;
  /**
   * Milliseconds that a connection may last, for moving clients between servers and for renewing credentials.
   * Default Infinity. After it the connection is closed with 1001 and the reason `please reconnect`: not with 1000,
   * which tells many clients that all is done.
   */
  readonly maxAgeMs: number;
  /** The part of `maxAgeMs` that is cut off at random, 0 to 1, so that clients return one by one. Default 0.1. */
  readonly ageJitter: number;
}

/** The heartbeat that holds where nothing is given. */
export const defaultHeartbeat: HeartbeatOptions = Object.freeze({
  intervalMs: 25_000,
  patienceMs: 20_000,
  idleMs: Infinity,
  maxAgeMs: Infinity,
  ageJitter: 0.1,
});

/** What else a heartbeat depends on. */
export interface HeartbeatSurroundings {
  /** Where time comes from. Default: the system's clock. */
  readonly clock?: Clock;
  /** Where chance comes from, from 0 to below 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** What a heartbeat knows of one connection. */
class Beat {
  readonly connection: WebSocketConnection;
  readonly entry: WheelEntry<Beat>;
  readonly ageEnds: number;
  lastMessage: number;
  nextPing: number;
  /** The ping that waits for its pong. */
  asked: Asked | undefined;
  latencyMs: number | undefined;

  constructor(connection: WebSocketConnection, now: number, firstPing: number, ageEnds: number) {
    this.connection = connection;
    this.entry = new WheelEntry<Beat>(this);
    this.lastMessage = now;
    this.nextPing = firstPing;
    this.ageEnds = ageEnds;
  }
}

interface Asked {
  readonly payload: number;
  readonly at: number;
  deadline: number;
  /** What the connection had received and had waiting when it was last looked at. */
  received: number;
  waiting: number;
  /** Whether it was given the time to read what may wait. */
  excused: boolean;
}

const beat: unique symbol = Symbol("Heartbeat");

interface WatchedConnection extends WebSocketConnection {
  [beat]?: Beat;
}

/** The wheel turns this often in the shortest of the times, within the bounds that follow. */
const TICKS = 20;
const MIN_TICK_MS = 10;
const MAX_TICK_MS = 1000;
const PAYLOAD_BYTES = 4;

/**
 * Looks after any number of connections, of servers or clients, with one timer for all: pings them, measures how
 * long they take, and ends those that are dead, idle or too old. Times are exact to a twentieth of the shortest one,
 * at least 10 ms and at most one second.
 *
 * ```ts
 * const heartbeat = new Heartbeat({ intervalMs: 10_000 });
 * const connection = await connectWebSocket(url, { handlers: heartbeat.watch(handlers) });
 * ```
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #tickMs: number;
  readonly #wheel: TimerWheel<Beat>;
  #pings = 0;

  /** Throws a RangeError that names the option which is not a number above 0 (`ageJitter`: 0 to 1). */
  constructor(options: Partial<HeartbeatOptions> = {}, surroundings: HeartbeatSurroundings = {}) {
    this.#options = checkOptions({ ...defaultHeartbeat, ...options });
    this.#clock = surroundings.clock ?? systemClock;
    this.#random = surroundings.random ?? Math.random;
    const { intervalMs, patienceMs, idleMs, maxAgeMs } = this.#options;
    const shortest = Math.min(intervalMs, patienceMs, idleMs, maxAgeMs);
    this.#tickMs = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, Math.floor(shortest / TICKS)));
    this.#wheel = new TimerWheel(this.#tickMs, (due) => this.#look(due), this.#clock);
  }

  /** How many connections are looked after. */
  get size(): number {
    return this.#wheel.size;
  }

  /**
   * Handlers that do what the given ones do, for connections that are looked after from their beginning to their
   * end. The given ones are read once, now. A connection has at most one heartbeat.
   */
  watch(handlers: WebSocketHandlers): WebSocketHandlers {
    const bound = boundHandlers(handlers);
    const { open, message, view, stream, pong, close } = bound;
    bound.open = (connection) => {
      this.#begin(connection);
      open?.(connection);
    };
    bound.pong = (connection, payload) => {
      this.#answered(connection, payload);
      pong?.(connection, payload);
    };
    bound.close = (connection, closed) => {
      this.#end(connection);
      close?.(connection, closed);
    };
    if (message !== undefined && this.#options.idleMs !== Infinity) {
      bound.message = (connection, data, isBinary) => {
        this.touch(connection);
        message(connection, data, isBinary);
      };
    }
    if (view !== undefined && this.#options.idleMs !== Infinity) {
      bound.view = (connection, data, isBinary) => {
        this.touch(connection);
        view(connection, data, isBinary);
      };
    }
    if (stream !== undefined && this.#options.idleMs !== Infinity) {
      bound.stream = (connection, incoming) => {
        this.touch(connection);
        stream(connection, incoming);
      };
    }
    return bound;
  }

  /** Counts as a message from the peer: for what else shows that a connection is in use, such as what is sent on it. */
  touch(connection: WebSocketConnection): void {
    const watched = (connection as WatchedConnection)[beat];
    if (watched !== undefined) watched.lastMessage = this.#clock.now();
  }

  /** How many milliseconds the last pong took that answered a ping of this heartbeat; undefined before the first. */
  latencyOf(connection: WebSocketConnection): number | undefined {
    return (connection as WatchedConnection)[beat]?.latencyMs;
  }

  #begin(connection: WatchedConnection): void {
    if (connection[beat] !== undefined) throw new Error("this connection has a heartbeat already");
    const now = this.#clock.now();
    const { intervalMs, maxAgeMs, ageJitter } = this.#options;
    const begun = new Beat(
      connection,
      now,
      now + intervalMs * (0.5 + this.#random() / 2),
      now + maxAgeMs * (1 - ageJitter * this.#random()),
    );
    connection[beat] = begun;
    this.#schedule(begun);
  }

  #end(connection: WatchedConnection): void {
    const ended = connection[beat];
    if (ended !== undefined) this.#wheel.cancel(ended.entry);
  }

  #schedule(each: Beat): void {
    const at = Math.min(
      each.asked?.deadline ?? each.nextPing,
      each.lastMessage + this.#options.idleMs,
      each.ageEnds,
    );
    if (at !== Infinity) this.#wheel.schedule(each.entry, at);
  }

  #look(each: Beat): void {
    const { connection } = each;
    // Its end is near, and has a timer of its own.
    if (connection.state !== "open") return;
    const now = this.#clock.now();
    const { idleMs } = this.#options;
    if (now >= each.ageEnds) connection.close(CloseCode.GOING_AWAY, "please reconnect");
    else if (now >= each.lastMessage + idleMs) {
      connection.close(CloseCode.GOING_AWAY, `no message for ${idleMs} ms`);
    } else if (each.asked !== undefined && now >= each.asked.deadline) this.#judge(each, each.asked, now);
    else if (each.asked === undefined && now >= each.nextPing) this.#ping(each, now);
    if (connection.state === "open") this.#schedule(each);
  }

  #ping(each: Beat, now: number): void {
    const { connection } = each;
    const { intervalMs, patienceMs } = this.#options;
    this.#pings = (this.#pings + 1) >>> 0;
    const payload = Buffer.allocUnsafe(PAYLOAD_BYTES);
    payload.writeUInt32BE(this.#pings);
    each.nextPing = now + intervalMs;
    each.asked = {
      payload: this.#pings,
      at: now,
      deadline: now + patienceMs,
      received: connection.bytesReceived,
      waiting: connection.bufferedAmount,
      excused: false,
    };
    connection.ping(payload);
  }

  /** No pong came in time: is there another sign of life? */
  #judge(each: Beat, asked: Asked, now: number): void {
    const { connection } = each;
    const { patienceMs } = this.#options;
    const { bytesReceived, bufferedAmount, isPaused } = connection;
    if (isPaused || bytesReceived > asked.received || bufferedAmount < asked.waiting) {
      asked.deadline = now + patienceMs;
      asked.received = bytesReceived;
      asked.waiting = bufferedAmount;
      asked.excused = false;
    } else if (!asked.excused) {
      // The pong may wait unread, where this process was held up or reads again since a moment ago.
      asked.excused = true;
      asked.deadline = now + this.#tickMs;
    } else {
      const message = `the peer gave no sign of life within ${patienceMs} ms of a ping`;
      connection.terminate(new WebSocketError("timeout", message));
    }
  }

  #answered(connection: WatchedConnection, payload: Buffer): void {
    const each = connection[beat];
    if (each?.asked === undefined || payload.length !== PAYLOAD_BYTES) return;
    if (payload.readUInt32BE() !== each.asked.payload) return;
    each.latencyMs = this.#clock.now() - each.asked.at;
    each.asked = undefined;
    this.#schedule(each);
  }
}

function checkOptions(options: HeartbeatOptions): HeartbeatOptions {
  const { ageJitter, ...times } = options;
  for (const [name, value] of Object.entries(times)) {
    if (typeof value === "number" && value > 0) continue;
    throw new RangeError(
      `heartbeat.${name} is ${String(value)}: it must be a number of milliseconds above 0, or Infinity`,
    );
  }
  if (typeof ageJitter === "number" && ageJitter >= 0 && ageJitter <= 1) return options;
  throw new RangeError(`heartbeat.ageJitter is ${String(ageJitter)}: it must be a number from 0 to 1`);
}
