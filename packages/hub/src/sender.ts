import type { Core } from "./core.ts";
import type { Delivery } from "./delivery.ts";
import type { Drop } from "./drop.ts";
import type { Link } from "./face.ts";
import type { LiveSession } from "./live-session.ts";
import { Outbox } from "./outbox.ts";
import { ReplayBuffer } from "./replay-buffer.ts";

/**
 * What goes out to one client, in order: what its link does not take yet waits, within its bounds, and what it may have
 * to be sent again is kept.
 *
 * - `held`: there is no link, or nothing is sent on it yet
 * - `willing`: the link takes frames
 * - `blocked`: the link has answered false, and was not drained since
 * - `over`: nothing goes out any more
 */
export class Sender {
  readonly #core: Core;
  readonly #session: LiveSession;
  #flow: "held" | "willing" | "blocked" | "over" = "held";
  #link: Link | undefined;
  /** The link, while a delivery is nothing but a frame for it: it is willing, nothing waits, nothing is to be kept. */
  #direct: Link | undefined;
  #outbox: Outbox | undefined;
  /** Bytes that wait because they are sent again: they had their place already. At most `HubLimits.replayBytes`. */
  #again = 0;
  #replay: ReplayBuffer | undefined;
  /** What the client is to be told that it will not have, by reason and room. */
  #gaps: Map<string, Drop> | undefined;
  #owesDrain = false;

  constructor(core: Core, session: LiveSession, keeps: boolean) {
    this.#core = core;
    this.#session = session;
    if (keeps) this.#replay = new ReplayBuffer(core.limits.replayCount, core.limits.replayBytes);
  }

  /** Whether the client misses something that it will not have, and has not been told so yet. */
  get hasGaps(): boolean {
    return this.#gaps !== undefined;
  }

  /** How many deliveries the client has been sent, those not counted that are to be sent again. */
  get sent(): number {
    return this.#replay?.sent ?? 0;
  }

  /** Sends, now or later. Answers whether to go on. */
  deliver(delivery: Delivery): boolean {
    const link = this.#direct;
    if (link === undefined) return this.#deliverWithCare(delivery);
    if (link.send(delivery.frameFor(link.face))) return true;
    this.#block(link);
    return false;
  }

  /** Lets `drain` be told when all has left. */
  askForDrain(): void {
    if (this.#flow !== "over") this.#owesDrain = true;
  }

  /** Whether so many bytes more may wait. */
  fits(bytes: number): boolean {
    const waiting = (this.#outbox?.bytes ?? 0) + (this.#link?.bufferedAmount ?? 0);
    return waiting + bytes <= this.#core.limits.outboxBytes + this.#again;
  }

  /** Something will not be delivered, which the client is told before anything that follows. */
  drop(drop: Drop): void {
    if (this.#flow === "over") return;
    this.#core.tally.dropped(drop.reason, drop.count);
    this.#addGap(drop);
    if (this.#flow === "willing") this.#tellGaps(this.#link);
    this.#core.events.emit("drop", this.#session, this.#session, drop);
  }

  /** Drops what waits of a room, as the client has left it. */
  forget(room: string): void {
    this.#outbox?.dropAll(room);
  }

  /** Has a link from now on; nothing is sent on it before it is `drained`. */
  take(link: Link): void {
    this.#link = link;
  }

  /** The link has room, for the first time or again. */
  drained(): void {
    if (this.#link === undefined || this.#flow === "over") return;
    this.#flow = "willing";
    this.#flush(this.#link);
  }

  /** The link is gone: everything waits. */
  hold(): void {
    this.#flow = "held";
    this.#link = undefined;
    this.#direct = undefined;
  }

  /** Whether all that the client has not had can be sent again. */
  reaches(received: number): boolean {
    return this.#replay?.reaches(received) === true;
  }

  /** How many deliveries the client has had that names the last of them; undefined where that one is not known any more. */
  receivedAt(isLast: (delivery: Delivery) => boolean): number | undefined {
    return this.#replay?.receivedAt(isLast);
  }

  /** What came after so many deliveries is to be sent again. */
  rewind(received: number): void {
    if (this.#replay === undefined) return;
    const { missed, gaps } = this.#replay.rewind(received);
    for (const gap of gaps) this.#addGap(gap);
    if (missed.length === 0) return;
    (this.#outbox ??= new Outbox()).prepend(missed);
    const again = missed.reduce((bytes, delivery) => bytes + delivery.bytes, this.#again);
    this.#again = Math.min(again, this.#core.limits.replayBytes);
  }

  /** The client has had so many deliveries. */
  trim(received: number): void {
    this.#replay?.trim(received);
  }

  /** Somebody wants to be told of what is sent: no more shortcuts. */
  tellSent(): void {
    this.#direct = undefined;
  }

  /** Sends nothing any more, but what waits if there is a link for it. Answers how many deliveries are left. */
  finish(isLinkOpen: boolean): number {
    const link = this.#link;
    const outbox = this.#outbox;
    this.hold();
    this.#flow = "over";
    this.#outbox = undefined;
    this.#replay = undefined;
    if (isLinkOpen && link !== undefined) {
      this.#tellGaps(link);
      for (let next = outbox?.shift(); next !== undefined; next = outbox?.shift()) {
        link.send(next.frameFor(link.face));
        this.#emitSent(next);
      }
    }
    this.#gaps = undefined;
    return outbox?.size ?? 0;
  }

  #deliverWithCare(delivery: Delivery): boolean {
    if (this.#flow === "over") return false;
    if (this.#flow === "willing" && this.#link !== undefined && (this.#outbox?.size ?? 0) === 0) {
      return this.#hand(this.#link, delivery);
    }
    this.#keep(delivery);
    return false;
  }

  #hand(link: Link, delivery: Delivery): boolean {
    this.#replay?.push(delivery);
    const goOn = link.send(delivery.frameFor(link.face));
    if (!goOn) this.#block(link);
    this.#emitSent(delivery);
    return goOn;
  }

  #block(link: Link): void {
    // The link may have told its loss while it sent.
    if (this.#link !== link) return;
    this.#direct = undefined;
    this.#flow = "blocked";
  }

  #keep(delivery: Delivery): void {
    const { room, bytes } = delivery;
    if (!this.fits(bytes)) {
      const policy = room === "" ? "close" : this.#core.rooms.slowPolicy(room);
      if (policy === "close") {
        this.#session.tooSlow();
        return;
      }
      const count = policy === "latest" ? (this.#outbox?.dropAll(room) ?? 0) : this.#makeRoom(room, bytes);
      const isKept = this.fits(bytes);
      if (isKept) (this.#outbox ??= new Outbox()).push(delivery);
      this.drop({ reason: "slow", room, count: isKept ? count : count + 1 });
      return;
    }
    (this.#outbox ??= new Outbox()).push(delivery);
  }

  /** Drops the oldest of a room until so many bytes fit, or there is none. */
  #makeRoom(room: string, bytes: number): number {
    let count = 0;
    while (!this.fits(bytes) && this.#outbox?.dropOldest(room) === true) count++;
    return count;
  }

  #flush(link: Link): void {
    this.#tellGaps(link);
    // A handler that is told of what was sent may send more, or end it.
    while (this.#link === link && this.#flow === "willing") {
      const next = this.#outbox?.shift();
      if (next === undefined) {
        this.#outbox = undefined;
        this.#again = 0;
        if (this.#replay === undefined && !this.#core.events.tellsSent) this.#direct = link;
        if (this.#owesDrain) {
          this.#owesDrain = false;
          this.#core.events.emit("drain", this.#session, this.#session);
        }
        return;
      }
      this.#hand(link, next);
    }
  }

  #tellGaps(link: Link | undefined): void {
    if (this.#gaps === undefined || link === undefined) return;
    for (const gap of this.#gaps.values()) {
      link.dropped(gap);
      this.#replay?.tell(gap);
    }
    this.#gaps = undefined;
  }

  #addGap(gap: Drop): void {
    const key = `${gap.reason} ${gap.room}`;
    this.#gaps ??= new Map();
    this.#gaps.set(key, { ...gap, count: gap.count + (this.#gaps.get(key)?.count ?? 0) });
  }

  #emitSent(delivery: Delivery): void {
    const { events } = this.#core;
    if (!events.tellsSent) return;
    const { data } = delivery.message;
    if (typeof data === "string") events.emit("sentMessage", this.#session, this.#session, data);
    else events.emit("sentMessageBinary", this.#session, this.#session, data);
  }
}
