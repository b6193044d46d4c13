import type { ServerLimits } from "./server-options.ts";

import type { Event } from "./incoming-events.ts";

interface EarlyEvent {
  readonly event: Event;
  readonly bytes: number;
}

/** The events of one socket that came before anybody listened, in order, within bounds. */
export class EarlyEvents {
  readonly #limits: Pick<ServerLimits, "earlyEvents" | "earlyEventBytes">;
  #events: EarlyEvent[] = [];
  #bytes = 0;

  constructor(limits: Pick<ServerLimits, "earlyEvents" | "earlyEventBytes">) {
    this.#limits = limits;
  }

  /** How many events wait. */
  get size(): number {
    return this.#events.length;
  }

  /** Keeps an event of so many bytes. Answers false where it would be one too many. */
  add(event: Event, bytes: number): boolean {
    const { earlyEvents, earlyEventBytes } = this.#limits;
    if (this.#events.length >= earlyEvents || this.#bytes + bytes > earlyEventBytes) return false;
    this.#events.push({ event, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** Takes the first event that somebody wants. */
  take(isWanted: (name: string) => boolean): Event | undefined {
    const index = this.#events.findIndex(({ event }) => isWanted(event[0]));
    const [taken] = index < 0 ? [] : this.#events.splice(index, 1);
    this.#bytes -= taken?.bytes ?? 0;
    return taken?.event;
  }

  /** Forgets all. Answers how many they were. */
  clear(): number {
    const { length } = this.#events;
    this.#events = [];
    this.#bytes = 0;
    return length;
  }
}
