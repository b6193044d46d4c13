import { type Clock, systemClock, type Timer } from "../clock.ts";
import { HubError } from "../hub-error.ts";
import { Publication } from "../publication.ts";
import type {
  Broker,
  BrokerReceiver,
  HistoryPage,
  HistoryRequest,
  Published,
  PublishRequest,
} from "./broker.ts";
import { RoomLog } from "./room-log.ts";

/** How often what is too old is looked for in rooms that nobody touches. */
const SWEEP_MS = 10_000;

/** Options of the memory broker. */
export interface MemoryBrokerOptions {
  /** Where time comes from. Default: the clock of this process. */
  readonly clock?: Clock;
  /** Milliseconds for which an idempotency key is remembered. Default: 300,000. */
  readonly idempotencyMs?: number;
  /** Idempotency keys that are remembered for one room. Default: 10,000. Over it: the oldest is forgotten. */
  readonly idempotencyKeys?: number;
}

/** The broker of a single node: everything is in its memory, and gone with it. */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #idempotencyMs: number;
  readonly #idempotencyKeys: number;
  readonly #logs = new Map<string, RoomLog>();
  readonly #subscribed = new Set<string>();
  #receiver: BrokerReceiver | undefined;
  #sweep: Timer | undefined;

  constructor({
    clock = systemClock,
    idempotencyMs = 300_000,
    idempotencyKeys = 10_000,
  }: MemoryBrokerOptions = {}) {
    this.#clock = clock;
    this.#idempotencyMs = idempotencyMs;
    this.#idempotencyKeys = idempotencyKeys;
  }

  /** Rooms of which something is kept. */
  get size(): number {
    return this.#logs.size;
  }

  /** Nothing interrupts memory: the second argument is never called. */
  attach(receiver: BrokerReceiver): void {
    this.#receiver = receiver;
  }

  async subscribe(room: string): Promise<void> {
    this.#subscribed.add(room);
  }

  async unsubscribe(room: string): Promise<void> {
    this.#subscribed.delete(room);
    this.#forget(room, this.#logs.get(room));
  }

  async publish(request: PublishRequest): Promise<Published> {
    const { room, message, history, idempotencyKey, expectedEpoch, except } = request;
    const now = this.#clock.now();
    const known = this.#logs.get(room);
    known?.expire(now);
    const before = idempotencyKey === undefined ? undefined : known?.published(idempotencyKey);
    if (before !== undefined) return { ...before, duplicate: true };
    if (expectedEpoch !== undefined && known?.epoch !== expectedEpoch) {
      throw new HubError("ABORTED", `The room "${room}" is not of the epoch "${expectedEpoch}" any more.`);
    }
    const log =
      history === undefined && idempotencyKey === undefined ? undefined : (known ?? this.#logFor(room));
    const position = history === undefined ? { epoch: "", offset: 0 } : log?.next();
    const publication = new Publication({
      room,
      message,
      ...position,
      publishedAt: this.#clock.date(),
      ...(except === undefined ? {} : { except }),
    });
    const { epoch, offset } = publication;
    if (history !== undefined) log?.push(publication, history, now);
    if (idempotencyKey !== undefined) {
      log?.remember(idempotencyKey, { epoch, offset }, now + this.#idempotencyMs, this.#idempotencyKeys);
    }
    if (this.#subscribed.has(room)) this.#receiver?.(publication);
    return { epoch, offset, duplicate: false };
  }

  async history(room: string, request: HistoryRequest): Promise<HistoryPage> {
    const log = this.#logs.get(room) ?? (this.#subscribed.has(room) ? this.#logFor(room) : undefined);
    log?.expire(this.#clock.now());
    return log?.page(request) ?? { epoch: "", offset: 0, publications: [], complete: !request.since };
  }

  async close(): Promise<void> {
    this.#receiver = undefined;
    this.#sweep?.cancel();
    this.#sweep = undefined;
    this.#logs.clear();
    this.#subscribed.clear();
  }

  #logFor(room: string): RoomLog {
    const log = new RoomLog();
    this.#logs.set(room, log);
    this.#sweep ??= this.#clock.after(SWEEP_MS, this.#sweepAll);
    return log;
  }

  #forget(room: string, log: RoomLog | undefined): void {
    if (log?.isEmpty !== true || this.#subscribed.has(room)) return;
    this.#logs.delete(room);
    if (this.#logs.size > 0) return;
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }

  readonly #sweepAll = (): void => {
    this.#sweep = this.#clock.after(SWEEP_MS, this.#sweepAll);
    const now = this.#clock.now();
    for (const [room, log] of this.#logs) {
      log.expire(now);
      this.#forget(room, log);
    }
  };
}
