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
    for (let oldest = this.#sent - this.#kept.size; oldest < received; oldest++) this.#kept.shift();
    this.#forgetTold();
  }

  /** Whether all that came after so many deliveries is there. */
  reaches(received: number): boolean {
    return received <= this.#sent && received >= this.#sent - this.#kept.size;
  }

  /** Takes all that came after so many deliveries, as if it had not been sent, and what is to be told again before it. */
  rewind(received: number): { readonly missed: readonly Delivery[]; readonly gaps: readonly Drop[] } {
    this.trim(received);
    this.#sent = received;
    const missed: Delivery[] = [];
    for (let next = this.#kept.shift(); next !== undefined; next = this.#kept.shift()) missed.push(next);
    const gaps = [...(this.#told?.values() ?? [])].map(({ gap }) => gap);
    this.#told = undefined;
    return { missed, gaps };
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
