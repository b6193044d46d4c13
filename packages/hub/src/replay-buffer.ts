import type { Delivery } from "./delivery.ts";
import { Outbox } from "./outbox.ts";

/** What a session with a resume key was sent and may not have had, so that another link can send it again. */
export class ReplayBuffer {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #kept = new Outbox();
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
  }

  /** Forgets what the client has had. */
  trim(received: number): void {
    for (let oldest = this.#sent - this.#kept.size; oldest < received; oldest++) this.#kept.shift();
  }

  /** Whether all that came after so many deliveries is there. */
  reaches(received: number): boolean {
    return received <= this.#sent && received >= this.#sent - this.#kept.size;
  }

  /** Takes all that came after so many deliveries, as if it had not been sent. */
  rewind(received: number): Delivery[] {
    this.trim(received);
    this.#sent = received;
    const missed: Delivery[] = [];
    for (let next = this.#kept.shift(); next !== undefined; next = this.#kept.shift()) missed.push(next);
    return missed;
  }
}
