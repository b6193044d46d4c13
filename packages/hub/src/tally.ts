import type { HubCounts } from "./counts.ts";
import type { DropReason } from "./drop.ts";

/** The counts of a hub, to be counted up. */
export class Tally {
  connected = 0;
  resumed = 0;
  notRecovered = 0;
  received = 0;
  delivered = 0;
  holesFilled = 0;
  holesLost = 0;
  repeated = 0;
  #ended = 0;
  readonly #refused = new Map<number, number>();
  readonly #closed = new Map<number, number>();
  readonly #denied = new Map<string, number>();
  readonly #dropped: Record<DropReason, number> = { slow: 0, lost: 0, closed: 0 };

  /** A client was not let in. */
  refused(code: number): void {
    count(this.#refused, code);
  }

  /** Sessions that were let in and have not ended. */
  get open(): number {
    return this.connected - this.#ended;
  }

  /** A session ended. */
  closed(code: number): void {
    this.#ended++;
    count(this.#closed, code);
  }

  /** A client may not do something. */
  denied(action: string): void {
    count(this.#denied, action);
  }

  /** Some deliveries were not sent. */
  dropped(reason: DropReason, deliveries: number): void {
    this.#dropped[reason] += deliveries;
  }

  /** All of it as it is now. */
  read(errors: number): HubCounts {
    const { connected, resumed, notRecovered, received, delivered, holesFilled, holesLost, repeated } = this;
    return {
      connected,
      resumed,
      notRecovered,
      refused: Object.fromEntries(this.#refused),
      closed: Object.fromEntries(this.#closed),
      received,
      delivered,
      dropped: { ...this.#dropped },
      holesFilled,
      holesLost,
      repeated,
      denied: Object.fromEntries(this.#denied),
      errors,
    };
  }
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
