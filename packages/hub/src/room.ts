import type { Core } from "./core.ts";
import { HubError } from "./hub-error.ts";
import type { LiveSession } from "./live-session.ts";
import type { Member, Presence } from "./presence.ts";
import type { Position, Publication } from "./publication.ts";
import { type FeedListener, RoomFeed } from "./room-feed.ts";
import type { RoomOptions } from "./room-options.ts";
import type { JoinResult } from "./session.ts";

/** A session that is not a member yet. */
class Joining {
  /** What came while the history is asked for what the client missed; `undefined` before that. */
  buffer: Publication[] | undefined;
  bytes = 0;
  /** Whether something of that is missing. */
  isCut = false;
  readonly result: Promise<JoinResult>;

  constructor(enter: (joining: Joining) => Promise<JoinResult>) {
    this.result = enter(this);
  }
}

/** A room on this node, while it has members or somebody joins it. */
export class Room implements FeedListener {
  readonly name: string;
  readonly options: RoomOptions;
  readonly #core: Core;
  readonly #feed: RoomFeed;
  readonly #ready: Promise<void> | undefined;
  readonly #members = new Set<LiveSession>();
  /** Members that had from the history what the feed is yet to bring, each with the last offset of that. */
  readonly #ahead = new Map<LiveSession, Position>();
  readonly #joining = new Map<LiveSession, Joining>();
  #presence: Presence | undefined;

  constructor(core: Core, name: string, options: RoomOptions) {
    this.#core = core;
    this.name = name;
    this.options = options;
    this.#feed = new RoomFeed(core, name, options.history !== undefined, this);
    this.#ready = this.#feed.start();
  }

  /** Sessions that are in it, or on their way. */
  get size(): number {
    return this.#members.size + this.#ahead.size + this.#joining.size;
  }

  /** The sessions that are in it, those on their way not among them. */
  *members(): IterableIterator<LiveSession> {
    yield* this.#members;
    yield* this.#ahead.keys();
  }

  /** Takes a session in. Of one that is in it already, answers where the room is. */
  join(session: LiveSession, since: Position | undefined): Promise<JoinResult> {
    if (this.#isMember(session)) return Promise.resolve(this.#resultAt(this.#feed, true));
    const before = this.#joining.get(session);
    if (before !== undefined) return before.result;
    // Who is added while members are gone through would be given what was published before.
    const isAtOnce = since === undefined && this.#feed.isFollowing && !this.#feed.isDelivering;
    if (isAtOnce) return Promise.resolve(this.#admit(session, this.#feed, true));
    const joining = new Joining((self) => this.#enter(session, self, since));
    this.#joining.set(session, joining);
    return joining.result;
  }

  /** Whether a session is in it, or on its way. */
  has(session: LiveSession): boolean {
    return this.#isMember(session) || this.#joining.has(session);
  }

  /** Takes a session out. */
  leave(session: LiveSession): void {
    this.#joining.delete(session);
    const wasMember = this.#members.delete(session);
    const wasAhead = this.#ahead.delete(session);
    if (wasMember || wasAhead) this.#tell(session, "left");
  }

  /** Nobody is in it any more. */
  stop(): void {
    this.#feed.stop();
  }

  /** A publication has come from the broker. */
  receive(publication: Publication): void {
    this.#feed.receive(publication);
  }

  /** The broker may have missed something. */
  check(): void {
    this.#feed.check();
  }

  deliver(publication: Publication): void {
    const { sessions, tally } = this.#core;
    const except = publication.except === "" ? undefined : sessions.byId(publication.except);
    let count = 0;
    for (const session of this.#members) {
      if (session === except) continue;
      session.sender.deliver(publication);
      count++;
    }
    tally.delivered += count;
    if (this.#ahead.size > 0) this.#catchUp(publication);
    for (const joining of this.#joining.values()) this.#buffer(joining, publication);
  }

  lost(count: number): void {
    const drop = { reason: "lost", room: this.name, count } as const;
    for (const session of this.#members) session.sender.drop(drop);
    for (const session of this.#ahead.keys()) session.sender.drop(drop);
    for (const joining of this.#joining.values()) joining.isCut = true;
  }

  /** Who is in it. */
  get presence(): Presence {
    return (this.#presence ??= this.#describe());
  }

  /** What others may see of a member is not what it was. */
  changed(): void {
    this.#presence = undefined;
  }

  async #enter(session: LiveSession, joining: Joining, since: Position | undefined): Promise<JoinResult> {
    try {
      await this.#ready;
      return await this.#recover(session, joining, since);
    } finally {
      if (this.#joining.get(session) === joining) this.#joining.delete(session);
    }
  }

  async #recover(session: LiveSession, joining: Joining, since: Position | undefined): Promise<JoinResult> {
    this.#validateStill(session, joining);
    const feed = this.#feed;
    if (since === undefined) return this.#admit(session, feed, true);
    if (this.options.history === undefined) return this.#admit(session, feed, false);
    if (since.epoch === feed.epoch && since.offset === feed.offset) return this.#admit(session, feed, true);
    joining.buffer = [];
    const page = await this.#core.broker.history(this.name, {
      since,
      limit: this.#core.limits.historyPage,
    });
    this.#validateStill(session, joining);
    const last = page.publications.at(-1)?.offset ?? since.offset;
    const isWhole = page.complete && last === page.offset && page.epoch === feed.epoch && !joining.isCut;
    const missed = page.publications.concat(joining.buffer.filter(({ offset }) => offset > page.offset));
    const bytes = missed.reduce((sum, publication) => sum + publication.bytes, 0);
    if (!isWhole || !session.sender.fits(bytes)) return this.#admit(session, feed, false);
    const position = { epoch: page.epoch, offset: Math.max(page.offset, feed.offset) };
    let result: JoinResult | undefined;
    feed.exclusively(() => {
      for (const publication of missed) {
        if (publication.except === session.id) continue;
        session.sender.deliver(publication);
        this.#core.tally.delivered++;
      }
      if (this.#joining.get(session) === joining) result = this.#admit(session, position, true);
    });
    if (result === undefined) throw leftMeanwhile(this.name);
    return result;
  }

  #validateStill(session: LiveSession, joining: Joining): void {
    if (this.#joining.get(session) === joining) return;
    throw leftMeanwhile(this.name);
  }

  #admit(session: LiveSession, position: Position, recovered: boolean): JoinResult {
    this.#joining.delete(session);
    if (position.offset > this.#feed.offset) this.#ahead.set(session, position);
    else this.#members.add(session);
    const result = this.#resultAt(position, recovered);
    session.joined(this.name);
    this.#tell(session, "joined");
    return result;
  }

  #resultAt({ epoch, offset }: Position, recovered: boolean): JoinResult {
    return { room: this.name, epoch, offset, recovered };
  }

  #isMember(session: LiveSession): boolean {
    return this.#members.has(session) || this.#ahead.has(session);
  }

  #catchUp(publication: Publication): void {
    for (const [session, { epoch, offset }] of this.#ahead) {
      const isKnown = publication.epoch === epoch && publication.offset <= offset;
      if (!isKnown && publication.except !== session.id) {
        this.#core.tally.delivered++;
        session.sender.deliver(publication);
      }
      if (publication.epoch === "" || (isKnown && publication.offset < offset)) continue;
      if (this.#ahead.delete(session)) this.#members.add(session);
    }
  }

  #buffer(joining: Joining, publication: Publication): void {
    if (joining.buffer === undefined || joining.isCut) return;
    joining.bytes += publication.bytes;
    joining.isCut = joining.bytes > this.#core.limits.outboxBytes;
    if (joining.isCut) joining.buffer = [];
    else joining.buffer.push(publication);
  }

  #tell(session: LiveSession, change: "joined" | "left"): void {
    this.#presence = undefined;
    if (this.options.presence === true) {
      this.#core.events.emit("room", session, { room: this.name, session, change });
    }
  }

  #describe(): Presence {
    const members: Member[] = [];
    const users = new Set<string>();
    for (const sessions of [this.#members, this.#ahead.keys()]) {
      for (const session of sessions) {
        const { id, number, user, identity } = session;
        if (user !== "") users.add(user);
        if (members.length < this.#core.limits.presenceMembers) {
          members.push({ session: id, number, user, info: identity?.info });
        }
      }
    }
    return { members, sessions: this.#members.size + this.#ahead.size, users: users.size };
  }
}

function leftMeanwhile(room: string): HubError {
  return new HubError("FAILED_PRECONDITION", `The session left the room "${room}" before it was in it.`);
}
