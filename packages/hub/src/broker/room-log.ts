import type { Position, Publication } from "../publication.ts";
import type { HistoryBounds } from "../room-options.ts";
import { createSecret } from "../secret.ts";
import type { HistoryPage, HistoryRequest } from "./broker.ts";

interface Kept {
  readonly publication: Publication;
  /** When it was published, by the clock. */
  readonly at: number;
}

interface Remembered {
  readonly position: Position;
  /** Until when, by the clock. */
  readonly until: number;
}

/** What a memory broker keeps of one room. */
export class RoomLog {
  readonly epoch: string = createSecret(9);
  #offset = 0;
  #kept: Kept[] = [];
  #bytes = 0;
  #ttlMs = Infinity;
  #keys: Map<string, Remembered> | undefined;

  /** Whether there is nothing that anybody could ask for. */
  get isEmpty(): boolean {
    return this.#kept.length === 0 && this.#keys === undefined;
  }

  /** What the publications that are kept count for, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many publications are kept. */
  get size(): number {
    return this.#kept.length;
  }

  /** The next place. */
  next(): Position {
    return { epoch: this.epoch, offset: ++this.#offset };
  }

  /** Keeps a publication, within these bounds. */
  push(publication: Publication, { size, ttlMs }: HistoryBounds, now: number): void {
    this.#kept.push({ publication, at: now });
    this.#bytes += publication.bytes;
    this.#ttlMs = ttlMs;
    this.keep(size);
  }

  /** Forgets all but the newest publications. The positions of those that come stay what they would have been. */
  keep(size: number): void {
    if (this.#kept.length > size) this.#drop(this.#kept.length - size);
  }

  /** Where something was published under a key. */
  published(key: string): Position | undefined {
    return this.#keys?.get(key)?.position;
  }

  /** Remembers that. */
  remember(key: string, position: Position, until: number, mostKeys: number): void {
    this.#keys ??= new Map();
    this.#keys.set(key, { position, until });
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= mostKeys) break;
      this.#keys.delete(oldest);
    }
  }

  /** Forgets what is too old. */
  expire(now: number): void {
    let expired = 0;
    while ((this.#kept[expired]?.at ?? Infinity) + this.#ttlMs <= now) expired++;
    if (expired > 0) this.#drop(expired);
    if (this.#keys === undefined) return;
    for (const [key, { until }] of this.#keys) {
      if (until > now) break;
      this.#keys.delete(key);
    }
    if (this.#keys.size === 0) this.#keys = undefined;
  }

  /** A part of what is kept. */
  page({ since, limit, reverse = false }: HistoryRequest): HistoryPage {
    const oldest = this.#offset - this.#kept.length + 1;
    const at = { epoch: this.epoch, offset: this.#offset };
    if (since !== undefined && (since.epoch !== this.epoch || since.offset > this.#offset)) {
      return { ...at, publications: [], complete: false };
    }
    if (reverse) {
      const end = since === undefined ? this.#kept.length : Math.max(0, since.offset - oldest);
      const kept = this.#kept.slice(Math.max(0, end - limit), end).toReversed();
      const complete = since === undefined || since.offset > oldest || since.offset <= 1;
      return { ...at, publications: kept.map(({ publication }) => publication), complete };
    }
    const start = since === undefined ? 0 : Math.max(0, since.offset + 1 - oldest);
    const kept = this.#kept.slice(start, start + limit);
    const complete = since === undefined || since.offset + 1 >= oldest;
    return { ...at, publications: kept.map(({ publication }) => publication), complete };
  }

  #drop(oldest: number): void {
    for (const { publication } of this.#kept.splice(0, oldest)) this.#bytes -= publication.bytes;
  }
}
