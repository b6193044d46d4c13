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
  /**
   * Bytes of all histories together: of the contents, and a little for keeping each. Default: 268,435,456. Over it: the
   * history of the room to which nothing was published for the longest is forgotten; who is behind in it is not recovered.
   */
  readonly historyBytes?: number;
}

/** The broker of a single node: everything is in its memory, and gone with it. */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #idempotencyMs: number;
  readonly #idempotencyKeys: number;
  readonly #historyBytes: number;
  readonly #logs = new Map<string, RoomLog>();
  /** Logs that keep publications, by the time of the last. */
  readonly #keeping = new Set<RoomLog>();
  readonly #subscribed = new Set<string>();
  #bytes = 0;
  #forgotten = 0;
  #receiver: BrokerReceiver | undefined;
  #sweep: Timer | undefined;

  /** Throws a RangeError for a limit that cannot be meant. */
  constructor({
    clock = systemClock,
    idempotencyMs = 300_000,
    idempotencyKeys = 10_000,
    historyBytes = 268_435_456,
  }: MemoryBrokerOptions = {}) {
    if (!(historyBytes > 0)) {
      throw new RangeError(`historyBytes is ${historyBytes}: it must be a number above 0`);
    }
    this.#clock = clock;
    this.#historyBytes = historyBytes;
    this.#idempotencyMs = idempotencyMs;
    this.#idempotencyKeys = idempotencyKeys;
  }

  /** Rooms of which something is kept. */
  get size(): number {
    return this.#logs.size;
  }

  /** What all histories count for, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many publications were forgotten before their time, because of `historyBytes`. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Nothing interrupts memory: the second argument is never called. */
  attach(receiver: BrokerReceiver): void {
    this.#receiver = receiver;
  }

  subscribe(room: string): undefined {
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
    if (known !== undefined) this.#expire(known, now);
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
    if (history !== undefined && log !== undefined) {
      this.#measure(log, () => log.push(publication, history, now));
      this.#keeping.delete(log);
      this.#keeping.add(log);
      this.#makeRoom(log);
    }
    if (idempotencyKey !== undefined) {
      log?.remember(idempotencyKey, { epoch, offset }, now + this.#idempotencyMs, this.#idempotencyKeys);
    }
    if (this.#subscribed.has(room)) this.#receiver?.(publication);
    return { epoch, offset, duplicate: false };
  }

  async history(room: string, request: HistoryRequest): Promise<HistoryPage> {
    const log = this.#logs.get(room) ?? (this.#subscribed.has(room) ? this.#logFor(room) : undefined);
    if (log !== undefined) this.#expire(log, this.#clock.now());
    return log?.page(request) ?? { epoch: "", offset: 0, publications: [], complete: !request.since };
  }

  async close(): Promise<void> {
    this.#receiver = undefined;
    this.#sweep?.cancel();
    this.#sweep = undefined;
    this.#logs.clear();
    this.#keeping.clear();
    this.#bytes = 0;
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

  #expire(log: RoomLog, now: number): void {
    this.#measure(log, () => log.expire(now));
  }

  #measure(log: RoomLog, change: () => void): void {
    this.#bytes -= log.bytes;
    change();
    this.#bytes += log.bytes;
    if (log.size === 0) this.#keeping.delete(log);
  }

  /** Forgets histories until all of them fit, but not what was just published. */
  #makeRoom(published: RoomLog): void {
    for (const log of this.#keeping) {
      if (this.#bytes <= this.#historyBytes) return;
      const before = log.size;
      this.#measure(log, () => log.keep(log === published ? 1 : 0));
      this.#forgotten += before - log.size;
    }
  }

  readonly #sweepAll = (): void => {
    this.#sweep = this.#clock.after(SWEEP_MS, this.#sweepAll);
    const now = this.#clock.now();
    for (const [room, log] of this.#logs) {
      this.#expire(log, now);
      this.#forget(room, log);
    }
  };
}
