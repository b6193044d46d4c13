import { type Clock, systemClock } from "./clock.ts";

/** Slots of the wheel; an entry that is due later than one turn stays for further turns. */
const SLOTS = 256;

/** A place in a wheel that something of the caller's has for as long as it lives. */
export class WheelEntry<Owner> {
  readonly owner: Owner;
  /** The tick at which it is due; meant for the wheel. */
  tick = 0;
  /** Its neighbours in a ring; an entry that waits for nothing is alone. Meant for the wheel. */
  before: WheelEntry<Owner> | undefined;
  after: WheelEntry<Owner> | undefined;

  constructor(owner: Owner) {
    this.owner = owner;
  }
}

/**
 * Calls many owners at their times with one timer, which runs only while somebody waits. Adding, moving and removing
 * cost the same for any number of entries. An entry is called at its time or up to one tick later, never earlier.
 */
export class TimerWheel<Owner> {
  readonly #tickMs: number;
  readonly #clock: Clock;
  readonly #due: (owner: Owner) => void;
  readonly #start: number;
  /** The first entry of each slot's list. */
  readonly #slots: (WheelEntry<Owner> | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  #tick = 0;
  #size = 0;
  #running = false;

  /** `due` is called with each owner whose time has come. It may add, move and remove entries. */
  constructor(tickMs: number, due: (owner: Owner) => void, clock: Clock = systemClock) {
    this.#tickMs = tickMs;
    this.#clock = clock;
    this.#due = due;
    this.#start = clock.now();
  }

  /** How many entries wait. */
  get size(): number {
    return this.#size;
  }

  /** Lets an entry be called at a time of the clock, and at no other. */
  schedule(entry: WheelEntry<Owner>, at: number): void {
    this.cancel(entry);
    if (!this.#running) this.#run();
    entry.tick = Math.max(this.#tick + 1, Math.ceil((at - this.#start) / this.#tickMs));
    this.#insert(entry);
    this.#size++;
  }

  /** Lets an entry not be called. */
  cancel(entry: WheelEntry<Owner>): void {
    if (this.#remove(entry)) this.#size--;
  }

  #run(): void {
    this.#running = true;
    this.#tick = this.#now();
    this.#clock.after(this.#tickMs, () => this.#turn());
  }

  #now(): number {
    return Math.floor((this.#clock.now() - this.#start) / this.#tickMs);
  }

  #turn(): void {
    const now = this.#now();
    const from = Math.max(this.#tick + 1, now - SLOTS + 1);
    this.#tick = now;
    try {
      for (let tick = from; tick <= now; tick++) this.#callSlot(tick % SLOTS, now);
    } finally {
      this.#running = false;
      if (this.#size > 0) this.#run();
    }
  }

  /** Calls those of a slot that are due. The others, which are for a later turn, stay. */
  #callSlot(slot: number, now: number): void {
    let entry = this.#slots[slot];
    const due: WheelEntry<Owner>[] = [];
    for (; entry !== undefined; entry = entry.after) if (entry.tick <= now) due.push(entry);
    for (const each of due) {
      // One that was called before may have moved or removed it.
      if (each.tick > now || !this.#remove(each)) continue;
      this.#size--;
      this.#due(each.owner);
    }
  }

  #insert(entry: WheelEntry<Owner>): void {
    const slot = entry.tick % SLOTS;
    const first = this.#slots[slot];
    entry.after = first;
    if (first !== undefined) first.before = entry;
    this.#slots[slot] = entry;
  }

  #remove(entry: WheelEntry<Owner>): boolean {
    const { before, after } = entry;
    const slot = entry.tick % SLOTS;
    if (before === undefined && this.#slots[slot] !== entry) return false;
    if (before === undefined) this.#slots[slot] = after;
    else before.after = after;
    if (after !== undefined) after.before = before;
    entry.before = undefined;
    entry.after = undefined;
    return true;
  }
}
