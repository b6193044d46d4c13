import { HubError } from "./hub-error.ts";
import type { HubLimits } from "./limits.ts";
import type { SessionState } from "./session.ts";

/** The state of one session, within its limits. */
export class BoundedState implements SessionState {
  readonly #limits: HubLimits;
  readonly #entries = new Map<string, string>();
  #bytes = 0;

  constructor(limits: HubLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): string | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  set(key: string, value: string): void {
    const { stateEntries, stateBytes } = this.#limits;
    const before = this.#entries.get(key);
    if (before === undefined && this.#entries.size >= stateEntries) {
      throw new HubError(
        "RESOURCE_EXHAUSTED",
        `The state of a session has at most ${stateEntries} entries (limits.stateEntries); "${key}" is one more.`,
      );
    }
    const bytes = this.#bytes - (before === undefined ? 0 : entryBytes(key, before)) + entryBytes(key, value);
    if (bytes > stateBytes) {
      throw new HubError(
        "RESOURCE_EXHAUSTED",
        `The state of a session has at most ${stateBytes} bytes (limits.stateBytes); with "${key}" it would have ${bytes}.`,
      );
    }
    this.#entries.set(key, value);
    this.#bytes = bytes;
  }

  delete(key: string): boolean {
    const before = this.#entries.get(key);
    if (before === undefined) return false;
    this.#bytes -= entryBytes(key, before);
    return this.#entries.delete(key);
  }

  entries(): IterableIterator<[string, string]> {
    return this.#entries.entries();
  }
}

function entryBytes(key: string, value: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(value);
}
