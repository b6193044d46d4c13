/** What a sender knows of its message. A message whose connection was lost before the answer is `unknown`. */
export type Fate = "unknown" | "taken" | "refused";

/**
 * What one member was given of one room, while nothing may be missing but what it was told of: from its coming into the
 * room to its end there.
 */
export class Stint {
  readonly member: string;
  readonly room: string;
  /** Numbers of publications; a gap that the member was told of is minus its length, an unknown one is NaN. */
  readonly items: number[] = [];
  /** Whether it goes on to the end of the run. */
  isOpen = true;

  constructor(member: string, room: string) {
    this.member = member;
    this.room = room;
  }

  /** The member was told that it misses `count`, or that it misses some. */
  gap(count: number | undefined): void {
    this.items.push(count === undefined || count === 0 ? Number.NaN : -count);
  }
}

/** What a run did. */
export interface LedgerCounts {
  readonly publications: number;
  readonly receipts: number;
  readonly taken: number;
  readonly refused: number;
  readonly unknown: number;
  /** Stretches of members in rooms. */
  readonly stints: number;
  /** Gaps that members were told of. */
  readonly gaps: number;
}

/** Problems that are listed; the others are counted. */
const shown = 20;

/** All that was said to rooms, and all that came of it. */
export class Ledger {
  /** Each text that was sent, by its id. */
  readonly #fates = new Map<string, Fate>();
  /** Number of a publication by its id, in the order in which they were first seen. */
  readonly #numbers = new Map<string, number>();
  readonly #ids: string[] = [];
  /** By the number of a publication: its room and its place there. */
  readonly #rooms: string[] = [];
  readonly #offsets: number[] = [];
  readonly #stints: Stint[] = [];
  readonly #problems: string[] = [];

  /** Something was said. */
  sent(id: string): void {
    this.#fates.set(id, "unknown");
  }

  /** Its sender was told what became of it. */
  told(id: string, fate: Fate): void {
    const before = this.#fates.get(id);
    if (before !== "unknown") this.problem(`${id} was ${fate} after it was ${before ?? "never sent"}`);
    this.#fates.set(id, fate);
  }

  /** A member comes into a room. */
  begin(member: string, room: string): Stint {
    const stint = new Stint(member, room);
    this.#stints.push(stint);
    return stint;
  }

  /** A member was given a publication; `offset` where its wire says it. */
  received(stint: Stint, id: string, offset?: number): void {
    let number = this.#numbers.get(id);
    if (number === undefined) {
      number = this.#ids.push(id) - 1;
      this.#numbers.set(id, number);
      this.#rooms[number] = stint.room;
      this.#offsets[number] = 0;
      if (!this.#fates.has(id)) this.problem(`${stint.member} was given ${id}, which nobody has sent`);
    }
    if (this.#rooms[number] !== stint.room)
      this.problem(`${id} came in ${stint.room} and in ${this.#rooms[number]}`);
    if (offset !== undefined) {
      const before = this.#offsets[number] ?? 0;
      if (before === 0) this.#offsets[number] = offset;
      else if (before !== offset)
        this.problem(`${id} has the offset ${before}, and ${offset} for ${stint.member}`);
    }
    stint.items.push(number);
  }

  /** Whether a stint has come to what was published to its room in the end; `last` has the ids of that. */
  hasLast(stint: Stint | undefined, last: ReadonlyMap<string, string>): boolean {
    const end = stint === undefined ? undefined : this.#numbers.get(last.get(stint.room) ?? "");
    return end !== undefined && stint?.items.lastIndexOf(end) !== -1;
  }

  /** Something that must not be. */
  problem(sentence: string): void {
    this.#problems.push(sentence);
  }

  /**
   * Everything that is wrong so far, as sentences: what was lost, doubled or out of order. `last` has the id of what
   * was published to each room in the end.
   */
  problems(last: ReadonlyMap<string, string>): readonly string[] {
    const found = [
      ...this.#problems,
      ...this.#problemsOfFates(),
      ...this.#problemsOfSenders(),
      ...this.#stints.flatMap((stint) => [...this.#problemsOf(stint, last)]),
    ];
    const rest = found.length - shown;
    return rest > 0 ? [...found.slice(0, shown), `and ${rest} more`] : found;
  }

  get counts(): LedgerCounts {
    const fates = [...this.#fates.values()];
    const count = (fate: Fate): number => fates.filter((each) => each === fate).length;
    let receipts = 0;
    let gaps = 0;
    for (const { items } of this.#stints) {
      for (const item of items) {
        if (item >= 0) receipts++;
        else gaps++;
      }
    }
    return {
      publications: this.#ids.length,
      receipts,
      taken: count("taken"),
      refused: count("refused"),
      unknown: count("unknown"),
      stints: this.#stints.length,
      gaps,
    };
  }

  /** What was taken was published, once; what was refused was not. */
  *#problemsOfFates(): Generator<string> {
    for (const [id, fate] of this.#fates) {
      const isPublished = this.#numbers.has(id);
      if (fate === "taken" && !isPublished) yield `${id} was taken, and came to nobody`;
      if (fate === "refused" && isPublished) yield `${id} was refused, and was published all the same`;
    }
    const places = new Map<string, string>();
    for (const [number, id] of this.#ids.entries()) {
      const place = `${this.#rooms[number]} ${this.#offsets[number]}`;
      const other = places.get(place);
      if (this.#offsets[number] === 0) yield `${id} came to nobody who knows its place`;
      else if (other !== undefined) yield `${id} and ${other} are both at ${place}`;
      places.set(place, id);
    }
  }

  /** What one sender said to a room is there in the order in which it was said. Ids are `sender:n`. */
  *#problemsOfSenders(): Generator<string> {
    const order = [...this.#ids.keys()].toSorted(
      (one, other) => (this.#offsets[one] ?? 0) - (this.#offsets[other] ?? 0),
    );
    const latest = new Map<string, number>();
    for (const number of order) {
      const [sender = "", nth = ""] = this.#ids[number]?.split(":") ?? [];
      const key = `${sender} in ${this.#rooms[number]}`;
      const before = latest.get(key) ?? -1;
      if (Number(nth) <= before) yield `of ${key}, ${nth} stands behind ${before}`;
      latest.set(key, Number(nth));
    }
  }

  /** Nothing is missing, nothing doubled, and all is in order. */
  *#problemsOf(stint: Stint, last: ReadonlyMap<string, string>): Generator<string> {
    const { member, room, items, isOpen } = stint;
    let at: number | undefined;
    /** How many may be missing. A gap of which a lost connection may not have told is told again. */
    let told = 0;
    for (const item of items) {
      if (Number.isNaN(item)) told = Infinity;
      else if (item < 0) told -= item;
      else {
        const offset = this.#offsets[item] ?? 0;
        if (at !== undefined && (offset <= at || offset > at + told + 1)) {
          const what = offset <= at ? "doubled or out of order" : "lost before it";
          yield `${member} in ${room}: ${this.#ids[item]} at ${offset} after ${at}: ${what}`;
        }
        at = offset;
        told = 0;
      }
    }
    if (isOpen && !this.hasLast(stint, last)) yield `${member} in ${room} was not given the last publication`;
  }
}
