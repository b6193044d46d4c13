import {
  type Call,
  type CallListener,
  type CallStart,
  Code,
  type Metadata,
  noMetadata,
  type Status,
  type Timer,
} from "@sluice/protocol";
import { MAX_TIMER_MS } from "./clock.ts";
import type { Link } from "./link.ts";
import type { ResolvedOptions } from "./options.ts";

/** Bytes that wait for a connection from which `send` answers false. */
const FULL_BYTES: number = 64 * 1024;

/** What a call needs of its connection. */
export interface CallHost {
  /** The call needs another link, because it has certainly not been processed on this one. */
  refused(call: ConnectionCall, link: Link, reason: string): void;
  /** The call has ended. */
  forget(call: ConnectionCall): void;
}

/** One call on a connection: waits for a link, and moves to another where the server has not processed it. */
export class ConnectionCall implements Call, CallListener {
  readonly #host: CallHost;
  readonly #options: ResolvedOptions;
  readonly #start: CallStart;
  readonly #listener: CallListener;
  readonly #openedAt: number;
  readonly #deadline: Timer | undefined;
  /** The link that it is on, and the call there. */
  #link: Link | undefined;
  #current: Call | undefined;
  /** What was sent, for another link; undefined from when the server has answered, or it is too much. */
  #kept: Uint8Array[] | undefined = [];
  #keptBytes = 0;
  #isHalfClosed = false;
  #isPaused = false;
  #wantsDrain = false;
  #hasEnded = false;

  constructor(host: CallHost, options: ResolvedOptions, start: CallStart, listener: CallListener) {
    this.#host = host;
    this.#options = options;
    this.#start = start;
    this.#listener = listener;
    this.#openedAt = options.clock.now();
    const { timeout } = start;
    if (timeout !== undefined && timeout <= MAX_TIMER_MS) {
      this.#deadline = options.clock.after(Math.max(timeout, 0), () => this.#expire(timeout));
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Opens the call on a link, with everything that was sent so far. */
  attach(link: Link): void {
    const { timeout } = this.#start;
    const passed = this.#options.clock.now() - this.#openedAt;
    if (timeout !== undefined && passed >= timeout) {
      // Its timer is late. Not at once, because a listener is told nothing before `open` has returned.
      queueMicrotask(() => this.#expire(timeout));
      return;
    }
    const start = timeout === undefined ? this.#start : { ...this.#start, timeout: timeout - passed };
    const call = link.open(start, this);
    this.#link = link;
    this.#current = call;
    if (this.#isPaused) call.pause();
    let hasRoom = true;
    for (const message of this.#kept ?? []) hasRoom = call.send(message);
    if (this.#isHalfClosed) call.halfClose();
    this.#limitKept();
    if (hasRoom) this.drain();
  }

  send(message: Uint8Array): boolean {
    if (this.#hasEnded || this.#isHalfClosed) return false;
    this.#kept?.push(message);
    this.#keptBytes += message.length;
    if (this.#current !== undefined) {
      this.#limitKept();
      const hasRoom = this.#current.send(message);
      this.#wantsDrain ||= !hasRoom;
      return hasRoom;
    }
    const { maxWaitingBytes } = this.#options.limits;
    if (this.#keptBytes - message.length > maxWaitingBytes) {
      const text = `more than ${maxWaitingBytes} bytes wait for a connection`;
      this.cancel({ code: Code.RESOURCE_EXHAUSTED, message: text });
    }
    this.#wantsDrain ||= this.#keptBytes >= FULL_BYTES;
    return !this.#wantsDrain;
  }

  halfClose(): void {
    this.#isHalfClosed = true;
    this.#current?.halfClose();
  }

  cancel(status: Status = { code: Code.CANCELLED, message: "the call was cancelled" }): void {
    if (this.#hasEnded) return;
    const current = this.#current;
    this.#finish(status, noMetadata);
    current?.cancel(status);
  }

  pause(): void {
    this.#isPaused = true;
    this.#current?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#current?.resume();
  }

  headers(metadata: Metadata): void {
    if (this.#hasEnded) return;
    this.#kept = undefined;
    this.#listener.headers(metadata);
  }

  message(bytes: Uint8Array): void {
    if (!this.#hasEnded) this.#listener.message(bytes);
  }

  drain(): void {
    if (this.#hasEnded || !this.#wantsDrain) return;
    this.#wantsDrain = false;
    this.#listener.drain();
  }

  end(status: Status, trailers: Metadata): void {
    if (this.#hasEnded) return;
    const link = this.#link;
    if (status.unprocessed !== true || this.#kept === undefined || link === undefined) {
      return this.#finish(status, trailers);
    }
    this.#link = this.#current = undefined;
    this.#host.refused(this, link, status.message);
  }

  /** Ends the call because no connection came. */
  giveUp(status: Status): void {
    this.#finish(status, noMetadata);
  }

  #expire(timeout: number): void {
    const why = this.#current === undefined ? ", and not sent: no connection in time" : "";
    this.cancel({ code: Code.DEADLINE_EXCEEDED, message: `not done within ${timeout} ms${why}` });
  }

  /** Keeps no more than is allowed of what is on a link. */
  #limitKept(): void {
    if (this.#keptBytes > this.#options.maxRetryBytes) this.#kept = undefined;
  }

  #finish(status: Status, trailers: Metadata): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#current = undefined;
    this.#kept = undefined;
    this.#deadline?.cancel();
    this.#host.forget(this);
    this.#listener.end(status, trailers);
  }
}
