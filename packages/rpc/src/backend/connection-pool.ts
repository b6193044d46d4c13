import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import { backoffDelay } from "./backoff.ts";
import type { Timer } from "./clock.ts";
import { Connection, type ConnectionListener } from "./connection.ts";
import type { ResolvedOptions } from "./options.ts";
import type { Target } from "./target.ts";

/** A call that has asked for a connection. */
export interface WaitingCall {
  run(connection: Connection): void;
  fail(status: Status): void;
}

/**
 * How a backend is connected:
 * - `idle`: not, because no call has needed it
 * - `connecting`: the first attempt is under way; calls wait for it
 * - `ready`: calls run
 * - `backoff`: the last attempt failed with `error`; calls fail at once, and the next attempt is scheduled or
 *   under way
 * - `draining`: `close` was called and calls still run
 * - `closed`
 */
export type BackendState =
  | { readonly kind: "idle" | "connecting" | "ready" | "draining" | "closed" }
  | { readonly kind: "backoff"; readonly error: string; readonly failures: number };

/** What the pool does about further connections. */
type Dial =
  | { readonly kind: "at rest" }
  | { readonly kind: "backoff"; readonly timer: Timer }
  | { readonly kind: "draining"; readonly timer: Timer; readonly whenClosed: (() => void)[] }
  | { readonly kind: "closed" };

const shuttingDown = "the gateway is shutting down";

/** A connection that lived shorter than this counts as a failed attempt, so that a peer that hangs up is spared. */
const stableMs = 1_000;

/** The connections to one target: no more than the calls need, and a new one with growing patience when they fail. */
export class ConnectionPool implements ConnectionListener {
  readonly #target: Target;
  readonly #name: string;
  #options: ResolvedOptions;
  readonly #onChange: () => void;
  readonly #connecting = new Set<Connection>();
  readonly #ready: Connection[] = [];
  readonly #draining = new Set<Connection>();
  readonly #waiting = new Set<WaitingCall>();
  readonly #idleTimers = new Map<Connection, Timer>();
  #dial: Dial = { kind: "at rest" };
  #failures = 0;
  #lastError = "";
  /** Whether someone wants a connection even without a call. */
  #isWanted = false;

  /** `onChange` is called whenever `state` may answer something new. */
  constructor(target: Target, name: string, options: ResolvedOptions, onChange: () => void) {
    this.#target = target;
    this.#name = name;
    this.#options = options;
    this.#onChange = onChange;
  }

  get state(): BackendState {
    if (this.#dial.kind === "closed" || this.#dial.kind === "draining") return { kind: this.#dial.kind };
    if (this.#ready.length > 0) return { kind: "ready" };
    if (this.#failures > 0) return { kind: "backoff", error: this.#lastError, failures: this.#failures };
    return { kind: this.#connecting.size > 0 || this.#dial.kind === "backoff" ? "connecting" : "idle" };
  }

  /** Connections that carry or will carry calls, the ones that end among them. */
  get connections(): number {
    return this.#connecting.size + this.#ready.length + this.#draining.size;
  }

  get waitingCalls(): number {
    return this.#waiting.size;
  }

  get openCalls(): number {
    let calls = 0;
    for (const connection of [...this.#ready, ...this.#draining]) calls += connection.openCalls;
    return calls;
  }

  /** Connects now, also out of a back-off, and again whenever the last connection is lost. */
  connect(): void {
    if (this.#dial.kind === "draining" || this.#dial.kind === "closed") return;
    this.#isWanted = true;
    if (this.#dial.kind === "backoff") {
      this.#dial.timer.cancel();
      this.#dial = { kind: "at rest" };
    }
    this.#grow();
  }

  /** A connection with room; a status when there is none and will be none; undefined when the call has to wait. */
  acquire(call: WaitingCall): Connection | Status | undefined {
    const free = this.#ready.find((connection) => connection.hasRoom);
    if (free !== undefined) {
      this.#use(free);
      return free;
    }
    if (this.#dial.kind === "draining" || this.#dial.kind === "closed") {
      return createStatus(Code.UNAVAILABLE, shuttingDown);
    }
    if (this.#ready.length === 0 && this.#failures > 0) return this.#unreachable();
    if (this.#waiting.size >= this.#options.maxWaitingCalls) {
      return createStatus(
        Code.RESOURCE_EXHAUSTED,
        `${this.#waiting.size} calls already wait for the backend ${this.#name}, which is the maximum`,
      );
    }
    this.#waiting.add(call);
    this.#grow();
    return undefined;
  }

  /** The call does not wait any more. */
  forget(call: WaitingCall): void {
    this.#waiting.delete(call);
  }

  /** Makes no further call; ends those that run after `graceMs`. Called again, it sets a new time. */
  close(graceMs: number): Promise<void> {
    if (this.#dial.kind === "closed") return Promise.resolve();
    if (this.#dial.kind !== "at rest") this.#dial.timer.cancel();
    const whenClosed = this.#dial.kind === "draining" ? this.#dial.whenClosed : [];
    const closed = new Promise<void>((resolve) => whenClosed.push(resolve));
    const end = (): void => {
      for (const connection of this.#draining) connection.destroy(shuttingDown);
    };
    this.#dial = { kind: "draining", timer: this.#options.clock.after(graceMs, end), whenClosed };
    this.#failWaiting(createStatus(Code.UNAVAILABLE, shuttingDown));
    for (const connection of this.#connecting) connection.destroy(shuttingDown);
    for (const connection of this.#ready.slice()) this.#giveUp(connection, shuttingDown);
    if (graceMs <= 0) end();
    this.#onChange();
    this.#settle();
    return closed;
  }

  ready(connection: Connection): void {
    this.#connecting.delete(connection);
    this.#ready.push(connection);
    if (this.#ready.length === 1) this.#onChange();
    this.room(connection);
  }

  room(connection: Connection): void {
    for (const call of this.#waiting) {
      if (!connection.hasRoom) break;
      this.#waiting.delete(call);
      this.#use(connection);
      call.run(connection);
    }
    if (this.#waiting.size > 0) this.#grow();
    if (connection.openCalls === 0) this.#rest(connection);
  }

  draining(connection: Connection): void {
    this.#draining.add(connection);
    this.#retire(connection, undefined);
  }

  /** Source: gRFC A8, "Client-side keepalive": the interval doubles, for all connections that follow. */
  tooManyPings(): void {
    const { keepalive } = this.#options;
    this.#options = { ...this.#options, keepalive: { ...keepalive, intervalMs: 2 * keepalive.intervalMs } };
  }

  closed(connection: Connection, reason: string): void {
    this.#draining.delete(connection);
    if (this.#connecting.delete(connection)) this.#failed(reason);
    else this.#retire(connection, reason);
    this.#settle();
  }

  /** Takes a connection out of use; `failure` is undefined when the backend itself asked for that. */
  #retire(connection: Connection, failure: string | undefined): void {
    if (!this.#remove(connection)) return;
    const isStable = connection.age >= stableMs;
    if (!isStable && failure !== undefined) return this.#failed(failure);
    this.#failures = 0;
    if (isStable) this.#grow();
    else this.#backOff();
    this.#onChange();
  }

  /** Gives a connection back that is not needed. */
  #giveUp(connection: Connection, reason: string): void {
    this.#remove(connection);
    connection.drain(reason);
  }

  #remove(connection: Connection): boolean {
    const index = this.#ready.indexOf(connection);
    if (index < 0) return false;
    this.#ready.splice(index, 1);
    this.#use(connection);
    return true;
  }

  /** An attempt to connect has failed. */
  #failed(reason: string): void {
    if (this.#dial.kind === "draining" || this.#dial.kind === "closed") return;
    this.#lastError = reason;
    if (this.#dial.kind === "at rest") this.#failures++;
    this.#backOff();
    if (this.#ready.length === 0 && this.#connecting.size === 0) this.#failWaiting(this.#unreachable());
    this.#onChange();
  }

  #backOff(): void {
    if (this.#dial.kind !== "at rest") return;
    const { backoff, clock, random } = this.#options;
    const timer = clock.after(backoffDelay(Math.max(1, this.#failures), random, backoff), () => {
      this.#dial = { kind: "at rest" };
      if (this.#ready.length === 0) this.#open();
      else this.#grow();
    });
    this.#dial = { kind: "backoff", timer };
  }

  /** Opens as many connections as the waiting calls need. */
  #grow(): void {
    if (this.#dial.kind !== "at rest") return;
    const perConnection = this.#ready[0]?.limit ?? Number.POSITIVE_INFINITY;
    // A backend that allows no calls at all would not allow them on another connection either.
    if (perConnection === 0) return;
    const forCalls =
      this.#waiting.size === 0 ? 0 : Math.max(1, Math.ceil(this.#waiting.size / perConnection));
    const wanted = this.#isWanted && this.#ready.length === 0 ? 1 : 0;
    const most = this.#options.maxConnections - this.#ready.length;
    const needed = Math.min(most, Math.max(wanted, forCalls));
    while (this.#connecting.size < needed) this.#open();
  }

  #open(): void {
    this.#connecting.add(new Connection(this.#name, this.#target, this.#options, this));
    this.#onChange();
  }

  /** The connection has got a call. */
  #use(connection: Connection): void {
    this.#idleTimers.get(connection)?.cancel();
    this.#idleTimers.delete(connection);
  }

  /** The connection has no call; one beyond the first is given up when that stays so. */
  #rest(connection: Connection): void {
    if (this.#ready.indexOf(connection) < 1 || this.#idleTimers.has(connection)) return;
    const { clock, idleConnectionMs } = this.#options;
    const timer = clock.after(idleConnectionMs, () => {
      this.#idleTimers.delete(connection);
      if (this.#ready.indexOf(connection) > 0) this.#giveUp(connection, "the connection was idle");
    });
    this.#idleTimers.set(connection, timer);
  }

  #failWaiting(status: Status): void {
    const calls = [...this.#waiting];
    this.#waiting.clear();
    for (const call of calls) call.fail(status);
  }

  #unreachable(): Status {
    return createStatus(Code.UNAVAILABLE, `the backend ${this.#name} cannot be reached: ${this.#lastError}`);
  }

  /** Ends the shutdown when nothing is left. */
  #settle(): void {
    if (this.#dial.kind !== "draining" || this.connections > 0) return;
    const { timer, whenClosed } = this.#dial;
    timer.cancel();
    this.#dial = { kind: "closed" };
    this.#onChange();
    for (const resolve of whenClosed) resolve();
  }
}
