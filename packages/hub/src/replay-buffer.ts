import type { Delivery } from "./delivery.ts";
import type { Drop } from "./drop.ts";
import { Outbox } from "./outbox.ts";

/** That a client will not be given something, as it was told after so many deliveries. */
interface Told {
  readonly gap: Drop;
  readonly after: number;
}

/** What a session with a resume key was sent and may not have had, so that another link can send it again. */
export class ReplayBuffer {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #kept = new Outbox();
  /** The last that the client had when it came back, which it may name again; it is not kept any more. */
  #had: { readonly delivery: Delivery; readonly received: number } | undefined;
  /** By reason and room, in the order in which they were told. */
  #told: Map<string, Told> | undefined;
  #sent = 0;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  /** How many deliveries were given to links, each counted once. */
  get sent(): number {
    return this.#sent;
  }

  /** Keeps what is given to a link, and forgets the oldest of what would be too much. */
  push(delivery: Delivery): void {
    this.#sent++;
    this.#kept.push(delivery);
    while (this.#kept.size > this.#maxCount || this.#kept.bytes > this.#maxBytes) this.#kept.shift();
    this.#forgetTold();
  }

  /** Keeps what a link was told, as it may be lost with what follows. */
  tell(gap: Drop): void {
    const key = `${gap.reason} ${gap.room}`;
    this.#told ??= new Map();
    const count = gap.count + (this.#told.get(key)?.gap.count ?? 0);
    this.#told.delete(key);
    this.#told.set(key, { gap: { ...gap, count }, after: this.#sent });
  }

  /** Forgets what the client has had. */
  trim(received: number): void {
    this.#shiftUpTo(received);
    this.#forgetTold();
  }

  /** Whether all that came after so many deliveries is there. */
  reaches(received: number): boolean {
    return received <= this.#sent && received >= this.#sent - this.#kept.size;
  }

  /** How many deliveries the client has had that names the last of them; undefined where that one is not known any more. */
  receivedAt(isLast: (delivery: Delivery) => boolean): number | undefined {
    const after = this.#kept.countAfter(isLast);
    if (after !== undefined) return this.#sent - after;
    return this.#had !== undefined && isLast(this.#had.delivery) ? this.#had.received : undefined;
  }

  /** Takes all that came after so many deliveries, as if it had not been sent, and what is to be told again before it. */
  rewind(received: number): { readonly missed: readonly Delivery[]; readonly gaps: readonly Drop[] } {
    const delivery = this.#shiftUpTo(received);
    if (delivery !== undefined) this.#had = { delivery, received };
    this.#forgetTold();
    this.#sent = received;
    const missed: Delivery[] = [];
    for (let next = this.#kept.shift(); next !== undefined; next = this.#kept.shift()) missed.push(next);
    const gaps = [...(this.#told?.values() ?? [])].map(({ gap }) => gap);
    this.#told = undefined;
    return { missed, gaps };
  }

  /** Takes away what the client has had, and answers the newest of that. */
  #shiftUpTo(received: number): Delivery | undefined {
    let newest: Delivery | undefined;
    for (let oldest = this.#sent - this.#kept.size; oldest < received; oldest++) newest = this.#kept.shift();
    return newest;
  }

  /** Who had what came behind it has heard it. */
  #forgetTold(): void {
    if (this.#told === undefined) return;
    const oldest = this.#sent - this.#kept.size;
    for (const [key, { after }] of this.#told) {
      if (after >= oldest) return;
      this.#told.delete(key);
    }
    this.#told = undefined;
  }
}
