import { PacketType } from "../parser/packet.ts";
import type { PacketEncoder } from "./custom-parser.ts";
import { EarlyEvents } from "./early-events.ts";
import type { SocketHost } from "./socket-host.ts";
import { throwLater } from "./throw-later.ts";
import type { AnyListener, Untyped } from "./typed-events.ts";

/** An event of a client: its name, its arguments, and the function for the answer where it asks for one. */
export type Event = [string, ...Untyped[]];

/** Looks at each event of a client before the listeners do. `next(error)` keeps it from them. */
export type EventMiddleware = (event: Event, next: (error?: Error) => void) => void;

/** The socket whose events they are. */
export interface EventReceiver {
  readonly connected: boolean;
  /** Whether listeners may still be to come. */
  readonly _isNew: boolean;
  /** Whether somebody takes events of this name. */
  _hears(name: string): boolean;
  /** Gives an event to whoever takes it. */
  _deliver(event: Event): void;
  /** A middleware refused an event. */
  _onerror(error: Error): void;
}

/**
 * What a socket's events pass on their way to listeners: the ones that listen to all, then the middlewares. Those that nobody takes
 * wait in their order for the first who does. A socket has this only where one of these things is used.
 */
export class IncomingEvents {
  /** Listeners to all events. */
  readonly any: AnyListener[] = [];
  readonly #socket: EventReceiver;
  readonly #host: SocketHost;
  readonly #middlewares: EventMiddleware[] = [];
  #early: EarlyEvents | undefined;
  #isReleasing = false;

  constructor(socket: EventReceiver, host: SocketHost) {
    this.#socket = socket;
    this.#host = host;
  }

  /** Adds a middleware behind those that there are. */
  use(middleware: EventMiddleware): void {
    this.#middlewares.push(middleware);
    this.release();
  }

  /** An event came. */
  receive(event: Event): void {
    const [name] = event;
    if (this.#isWanted(name)) {
      this.#releaseAll(name);
      this.#run(event);
    } else if (this.#socket._isNew) this.#keep(event);
  }

  /** Somebody takes events who did not: gives out those that waited for it, behind what runs now, one a tick. */
  release(): void {
    if (this.#isReleasing || this.#early === undefined) return;
    this.#isReleasing = true;
    process.nextTick(this.#releaseNext);
  }

  /** Forgets the events that wait. */
  forgetEarly(): void {
    this.#host.counts.dropped.early += this.#early?.size ?? 0;
    this.#host.early.delete(this);
    this.#early = undefined;
  }

  #isWanted(name: string): boolean {
    return this.#socket._hears(name) || this.any.length > 0 || this.#middlewares.length > 0;
  }

  #keep(event: Event): void {
    const { limits, counts, early } = this.#host;
    if (this.#early === undefined) {
      this.#early = new EarlyEvents(limits);
      early.add(this);
    }
    if (!this.#early.add(event, sizeOf(event, this.#host.encoder))) counts.dropped.early++;
  }

  readonly #releaseNext = (): void => {
    const event = this.#early?.take((name) => this.#isWanted(name));
    this.#isReleasing = event !== undefined;
    if (event === undefined) return;
    // First, so that a listener that throws keeps none from its turn.
    process.nextTick(this.#releaseNext);
    this.#run(event);
  };

  /** Gives out what waited for a listener that there is by now, before the next of its name. */
  #releaseAll(name: string): void {
    for (;;) {
      const event = this.#early?.take((waiting) => waiting === name);
      if (event === undefined) return;
      try {
        this.#run(event);
      } catch (error) {
        throwLater(error);
      }
    }
  }

  #run(event: Event): void {
    if (!this.#socket.connected) return;
    if (this.any.length > 0) {
      for (const listener of this.any.slice()) listener.apply(this.#socket, event);
    }
    if (this.#middlewares.length === 0) this.#socket._deliver(event);
    else this.#pass(event, this.#middlewares.slice(), 0);
  }

  #pass(event: Event, middlewares: readonly EventMiddleware[], index: number): void {
    const middleware = middlewares[index];
    if (middleware === undefined) {
      this.#socket._deliver(event);
      return;
    }
    let called = false;
    middleware(event, (error) => {
      if (called) return;
      called = true;
      if (error) this.#socket._onerror(error);
      else this.#pass(event, middlewares, index + 1);
    });
  }
}

/** Bytes of an event, as messages; Infinity where it cannot be encoded, as what another decoder gave may be. */
function sizeOf(event: Event, encoder: PacketEncoder): number {
  const data = event.filter((each) => typeof each !== "function");
  try {
    const messages = encoder.encode({ type: PacketType.EVENT, nsp: "/", data });
    return messages.reduce((sum, message) => sum + Buffer.byteLength(message), 0);
  } catch {
    return Infinity;
  }
}
