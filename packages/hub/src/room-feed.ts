import type { HistoryPage } from "./broker/broker.ts";
import type { Core } from "./core.ts";
import type { Position, Publication } from "./publication.ts";

/** Told what a feed has. Neither may throw. */
export interface FeedListener {
  /** The next publication. */
  deliver(publication: Publication): void;
  /** Some are missing before the next one; 0 for a number that is not known. */
  lost(count: number): void;
}

/** What came while the feed had to wait for the broker. */
class Waiting {
  readonly publications: Publication[] = [];
  /** Whether there were too many to keep; the history has them. */
  isCut = false;
}

/** The room is being subscribed. */
interface Starting {
  readonly kind: "starting";
  readonly waiting: Waiting;
}

/** What comes is delivered. */
interface Live {
  readonly kind: "live";
}

/** Something is missing, or may be, and the history is asked for it. */
interface Filling {
  readonly kind: "filling";
  readonly waiting: Waiting;
}

/** Nobody listens any more. */
interface Stopped {
  readonly kind: "stopped";
}

/**
 * Follows one room on the broker. Of a room with history, each publication is delivered once and in the order of offsets,
 * whatever the broker leaves out or repeats; if something cannot be had, that is told in its place.
 */
export class RoomFeed implements Position {
  readonly #core: Core;
  readonly #room: string;
  readonly #hasHistory: boolean;
  readonly #listener: FeedListener;
  #state: Starting | Live | Filling | Stopped = { kind: "starting", waiting: new Waiting() };
  #epoch = "";
  #offset = 0;
  /** What handlers publish while something is delivered comes after it. */
  #nested: Publication[] | undefined;
  #isDelivering = false;

  constructor(core: Core, room: string, hasHistory: boolean, listener: FeedListener) {
    this.#core = core;
    this.#room = room;
    this.#hasHistory = hasHistory;
    this.#listener = listener;
  }

  /** The epoch of the last publication; empty where the room has no history. */
  get epoch(): string {
    return this.#epoch;
  }

  /** The offset of the last publication. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether it knows where the room is, and follows it. */
  get isFollowing(): boolean {
    return this.#state.kind === "live" || this.#state.kind === "filling";
  }

  /** Whether something is given out now. */
  get isDelivering(): boolean {
    return this.#isDelivering;
  }

  /** Subscribes, and finds out where the room is; at once where the broker can. Rejects with the broker's error. */
  start(): Promise<void> | undefined {
    const subscribed = this.#core.broker.subscribe(this.#room);
    if (subscribed !== undefined || this.#hasHistory) return this.#startLater(subscribed);
    this.#state = { kind: "live" };
    return undefined;
  }

  async #startLater(subscribed: Promise<void> | undefined): Promise<void> {
    await subscribed;
    const page = this.#hasHistory
      ? await this.#core.broker.history(this.#room, { limit: 0 })
      : { epoch: "", offset: 0 };
    if (this.#state.kind !== "starting") return;
    this.#moveTo(page);
    const { waiting } = this.#state;
    this.exclusively(() => this.#goLive(waiting));
  }

  /** Nothing is delivered any more. */
  stop(): void {
    this.#state = { kind: "stopped" };
  }

  /** A publication has come. */
  receive(publication: Publication): void {
    if (this.#isDelivering) (this.#nested ??= []).push(publication);
    else this.exclusively(() => this.#accept(publication));
  }

  /** Does something between two publications: what handlers publish meanwhile comes after it. */
  exclusively(call: () => void): void {
    this.#isDelivering = true;
    try {
      call();
      while (this.#nested !== undefined) {
        const nested = this.#nested;
        this.#nested = undefined;
        for (const publication of nested) this.#accept(publication);
      }
    } finally {
      this.#isDelivering = false;
    }
  }

  /** Something may have been missed. */
  check(): void {
    const state = this.#state;
    if (state.kind === "stopped") return;
    if (state.kind !== "live") state.waiting.isCut = true;
    else if (this.#hasHistory) this.#fill(new Waiting());
    else this.#lose(0);
  }

  #accept(publication: Publication): void {
    const state = this.#state;
    if (state.kind === "live") this.#place(publication);
    else if (state.kind !== "stopped") this.#wait(state.waiting, publication);
  }

  #wait(waiting: Waiting, publication: Publication): void {
    if (waiting.publications.length < this.#core.limits.historyPage) waiting.publications.push(publication);
    else waiting.isCut = true;
  }

  #place(publication: Publication): void {
    const { epoch, offset } = publication;
    if (epoch === "") this.#listener.deliver(publication);
    else if (epoch !== this.#epoch) {
      // The history of before has ended, nobody knows with what.
      this.#lose(0);
      this.#moveTo(publication);
      this.#listener.deliver(publication);
    } else if (offset === this.#offset + 1) {
      this.#offset = offset;
      this.#listener.deliver(publication);
    } else if (offset > this.#offset) {
      const waiting = new Waiting();
      this.#wait(waiting, publication);
      this.#fill(waiting);
    } else this.#core.tally.repeated++;
  }

  #moveTo({ epoch, offset }: Position): void {
    this.#epoch = epoch;
    this.#offset = offset;
  }

  /** Asks the history for what comes next. */
  #fill(waiting: Waiting): void {
    const filling: Filling = { kind: "filling", waiting };
    this.#state = filling;
    const since = { epoch: this.#epoch, offset: this.#offset };
    this.#core.broker.history(this.#room, { since, limit: this.#core.limits.historyPage }).then(
      (page) => this.#filled(filling, page),
      (error: unknown) => {
        this.#core.events.error(undefined, error);
        this.#filled(filling, undefined);
      },
    );
  }

  #filled(filling: Filling, page: HistoryPage | undefined): void {
    if (this.#state !== filling) return;
    const { waiting } = filling;
    const isWhole = page?.complete === true && page.epoch === this.#epoch;
    this.exclusively(() => {
      if (isWhole && page.publications.length > 0) {
        this.#core.tally.holesFilled++;
        for (const publication of page.publications) this.#place(publication);
        if (this.#offset < page.offset) waiting.isCut = true;
      } else if (!isWhole || waiting.publications.length > 0) this.#skip(waiting, page);
      this.#goLive(waiting);
    });
  }

  /** Goes on after what could not be had. */
  #skip(waiting: Waiting, page: HistoryPage | undefined): void {
    const next = waiting.publications.find(
      ({ epoch, offset }) => epoch !== "" && (epoch !== this.#epoch || offset > this.#offset),
    );
    const isSame = next?.epoch === this.#epoch;
    if (next === undefined) {
      this.#lose(page?.epoch === this.#epoch ? page.offset - this.#offset : 0);
      this.#moveTo(page ?? this);
    } else if (isSame && next.offset > this.#offset + 1) {
      this.#lose(next.offset - 1 - this.#offset);
      this.#offset = next.offset - 1;
    }
  }

  #lose(count: number): void {
    this.#core.tally.holesLost++;
    this.#listener.lost(count);
  }

  /** Goes on with what has waited; which may lead to the next hole. */
  #goLive(waiting: Waiting): void {
    // The last member may have left with what was delivered.
    if (this.#state.kind === "stopped") return;
    this.#state = { kind: "live" };
    for (const publication of waiting.publications) this.#accept(publication);
    if (waiting.isCut) this.check();
  }
}
