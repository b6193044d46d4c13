import assert from "node:assert/strict";
import { FakeClock, settled } from "@sluice/testkit/fake-clock";
import { Hub, MemoryBroker, type Position, roomsByPattern, type Session } from "../../src/index.ts";
import { FakeLink, keyOf, request } from "./fake-link.ts";
import { Gate } from "./gate.ts";
import { UnreliableBroker } from "./unreliable-broker.ts";

export const ttlMs = 2_000_000;
const graceMs = 30_000;
const replayCount = 8;
const outboxBytes = 2000;
/** Of a publication of the model, in an outbox. */
const publicationBytes = 40 + 64 + 1;

/** What a client is owed of a room that it is in: everything after an offset, but what was told as dropped. */
interface Membership {
  after: number;
  dropped: number;
}

/** What the model knows of one session. */
interface Ledger {
  readonly session: Session;
  readonly memberships: Map<string, Membership>;
  /** The rooms that it was ever asked to join. */
  readonly joined: Set<string>;
  /** Messages to the session itself. */
  readonly sent: string[];
  /** What the client has really had, over all links. */
  readonly had: string[];
  connects: number;
  disconnects: number;
  /** Deliveries that were dropped because it is slow or they got lost, and those of which its links were told. */
  drops: number;
  told: number;
}

/** A client that loses what is on its way when its socket is lost. */
interface Client {
  readonly isKeyed: boolean;
  readonly index: number;
  link: FakeLink | undefined;
  /** Frames of the link that the client has had. */
  read: number;
  ledger: Ledger | undefined;
  /** The last offset that it has seen of each room. */
  readonly seen: Map<string, Position>;
}

export interface ModelOptions {
  /** Publications arrive when `arrive` says so, or not at all. */
  readonly isUnreliable: boolean;
  /** Publications that a room keeps. */
  readonly historySize: number;
}

/**
 * A hub with a few clients, and a ledger of everything that each of them is owed. Every step may be done before the last
 * one has come to its end.
 */
export class Model {
  readonly clock = new FakeClock();
  readonly hub: Hub;
  readonly #memory = new MemoryBroker({ clock: this.clock });
  readonly #broker: UnreliableBroker | undefined;
  readonly #clients: Client[];
  readonly #ledgers = new Map<Session, Ledger>();
  /** What was published, by room: the texts in order, and who was not to be given them. */
  readonly #published = new Map<string, { readonly text: string; readonly except: string }[]>();
  readonly #errors: unknown[] = [];
  #held: Gate | undefined;
  #texts = 0;

  constructor({ isUnreliable, historySize }: ModelOptions) {
    this.#broker = isUnreliable ? new UnreliableBroker(this.#memory) : undefined;
    const history = { size: historySize, ttlMs };
    this.hub = new Hub({
      clock: this.clock,
      graceMs,
      broker: this.#broker ?? this.#memory,
      rooms: roomsByPattern({
        c: { history, presence: true },
        o: { history, slow: "drop_oldest" },
        l: { history, slow: "latest" },
      }),
      limits: { outboxBytes, replayCount, historyPage: 20 },
    });
    this.hub.onConnect((session) => void this.#ledgerOf(session).connects++);
    this.hub.onDisconnect((session) => void this.#ledgerOf(session).disconnects++);
    this.hub.onError((_session, error) => this.#errors.push(error));
    this.hub.onDrop((session, { reason, room, count }) => {
      if (reason === "closed") return;
      const ledger = this.#ledgerOf(session);
      ledger.drops += count;
      const membership = ledger.memberships.get(room);
      if (membership !== undefined) membership.dropped += count;
    });
    this.#clients = [true, true, true, false, false].map((isKeyed, index) => ({
      isKeyed,
      index,
      link: undefined,
      read: 0,
      ledger: undefined,
      seen: new Map(),
    }));
  }

  attach(which: number): void {
    const client = this.#client(which);
    const { link: oldLink, ledger: before } = client;
    if (oldLink !== undefined && !client.isKeyed) return;
    this.#read(client, Infinity);
    if (oldLink !== undefined && before !== undefined) before.told += toldBy(oldLink);
    const received = before?.had.length ?? 0;
    const link = new FakeLink();
    client.link = link;
    client.read = 0;
    const resume = { key: keyOf(client.index), received };
    void this.hub.attach(link, client.isKeyed ? { ...request, resume } : request);
    assert.ok(link.attached !== undefined);
    client.ledger = this.#ledgerOf(link.session);
    assert.equal(client.ledger === before, link.attached.resumed);
    if (before !== undefined && client.isKeyed) assert.equal(before.session.isClosed, !link.attached.resumed);
  }

  /** Its socket is lost; of what was on its way, some arrives. */
  lose(which: number, arrives: number, isFarewell: boolean): void {
    const client = this.#client(which);
    const { link, ledger } = client;
    if (link === undefined || ledger === undefined) return;
    const inFlight = link.frames.length - client.read;
    this.#read(client, Math.min(inFlight, Math.max(arrives, inFlight - replayCount)));
    ledger.told += toldBy(link);
    client.link = undefined;
    client.read = 0;
    link.lose(isFarewell ? { code: 1000, clean: true } : {});
  }

  async join(which: number, room: string): Promise<void> {
    const client = this.#client(which);
    const { ledger } = client;
    if (ledger === undefined || ledger.session.isClosed || ledger.memberships.has(room)) return;
    // A node that is behind others begins where it is: with what the session had before it left.
    if (this.#broker !== undefined && ledger.joined.has(room)) return;
    // What it had in this session, or what is on its way in it, is not to be recovered.
    const since = ledger.joined.has(room) ? undefined : client.seen.get(room);
    ledger.joined.add(room);
    // Something may get lost as soon as it is in, before its promise is resolved.
    const membership: Membership = { after: Infinity, dropped: 0 };
    ledger.memberships.set(room, membership);
    try {
      const { offset, recovered } = await ledger.session.join(room, since === undefined ? {} : { since });
      membership.after = since !== undefined && recovered ? since.offset : offset;
    } catch (error) {
      assert.match(String(error), /before it was in it|The session is over/);
    }
  }

  leave(which: number, room: string): void {
    const { ledger } = this.#client(which);
    ledger?.memberships.delete(room);
    void ledger?.session.leave(room);
  }

  async publish(room: string, exceptWhich: number | undefined): Promise<void> {
    const except = exceptWhich === undefined ? "" : (this.#client(exceptWhich).ledger?.session.id ?? "");
    const text = this.#text();
    const published = this.#published.get(room) ?? [];
    this.#published.set(room, published);
    published.push({ text, except });
    const expected = published.length;
    const { offset, epoch } = await this.hub.publish(room, text, except === "" ? {} : { except });
    assert.equal(offset, expected);
    for (const { seen } of this.#clients) {
      if (!seen.has(room)) seen.set(room, { epoch, offset: 0 });
    }
  }

  send(which: number): void {
    const { ledger } = this.#client(which);
    if (ledger === undefined || ledger.session.isClosed) return;
    const text = this.#text();
    ledger.sent.push(text);
    ledger.session.send(text);
  }

  slow(which: number, credit: number): void {
    const { link } = this.#client(which);
    if (link !== undefined) link.credit = credit;
  }

  drain(which: number, credit: number): void {
    const client = this.#client(which);
    const before = client.link?.frames.length ?? 0;
    client.link?.drain(credit);
    const flushed = (client.link?.frames.length ?? 0) - before;
    assert.ok(flushed <= outboxBytes / 64 + replayCount, "bounded");
  }

  /** The client tells what it has had. */
  acknowledge(which: number): void {
    const client = this.#client(which);
    this.#read(client, Infinity);
    if (client.ledger !== undefined) client.link?.attachment?.received(client.ledger.had.length);
  }

  close(which: number): void {
    this.#client(which).ledger?.session.close();
  }

  pass(milliseconds: number): void {
    this.clock.advance(milliseconds);
  }

  arrive(count: number, isLost: boolean): void {
    if (isLost) this.#broker?.lose(count);
    else this.#broker?.deliver(count);
  }

  /** Histories take their time from now on, until `release`. */
  hold(): void {
    if (this.#broker === undefined || this.#held !== undefined) return;
    this.#held = new Gate();
    this.#broker.historyGate = this.#held.opened;
  }

  release(): void {
    if (this.#broker !== undefined) this.#broker.historyGate = undefined;
    this.#held?.open();
    this.#held = undefined;
  }

  interrupt(): void {
    this.#broker?.interrupt();
  }

  /** Everybody comes back and reads; then what each of them has had is what it is owed. */
  async finish(): Promise<void> {
    this.release();
    await settled();
    this.#broker?.lose(Infinity);
    this.#broker?.interrupt();
    for (let turn = 0; turn < 20; turn++) await settled();
    for (const client of this.#clients) {
      if (client.isKeyed && client.link === undefined && client.ledger?.session.phase === "away") {
        this.attach(client.index);
      }
      for (let turn = 0; turn < 3; turn++) client.link?.drain();
      this.#read(client, Infinity);
      if (client.ledger !== undefined && client.link !== undefined)
        this.#checkOwed(client.ledger, client.link);
    }
    assert.deepEqual(this.#errors, []);
    await this.#checkEmpty();
  }

  #checkOwed(ledger: Ledger, link: FakeLink): void {
    const { session, had } = ledger;
    assert.equal(new Set(had).size, had.length, "nothing twice");
    const direct = had.filter((frame) => !frame.includes("#"));
    assert.deepEqual(direct, ledger.sent.slice(0, direct.length), "messages in order");
    for (const room of ["c", "o", "l"]) this.#checkOrder(room, had);
    if (session.isClosed) return;
    assert.equal(direct.length, ledger.sent.length, "all messages");
    for (const [room, membership] of ledger.memberships) this.#checkRoom(session, room, membership, had);
    // What a link was told that got lost, the next one may be told again.
    assert.ok(ledger.told + toldBy(link) >= ledger.drops, "the client is told what was dropped");
  }

  #checkOrder(room: string, had: readonly string[]): void {
    const published = this.#published.get(room) ?? [];
    let last = 0;
    for (const frame of had) {
      const [, of, offset, text] = /^(\w)#(\d+):(.*)$/.exec(frame) ?? [];
      if (of !== room) continue;
      assert.ok(Number(offset) > last, `${frame} after ${last}`);
      last = Number(offset);
      assert.equal(text, published[last - 1]?.text);
    }
  }

  #checkRoom(session: Session, room: string, { after, dropped }: Membership, had: readonly string[]): void {
    const owed = (this.#published.get(room) ?? [])
      .map(({ text, except }, index) => ({ offset: index + 1, text, except }))
      .filter(({ offset, except }) => offset > after && except !== session.id)
      .map(({ offset, text }) => `${room}#${offset}:${text}`);
    const missing = owed.filter((frame) => !had.includes(frame));
    if (this.#broker === undefined || this.hub.counts.holesLost === 0) {
      if (room === "c") assert.deepEqual(missing, [], "a room that drops nothing");
      assert.equal(missing.length, dropped, `${room}: what is missing was told`);
    } else {
      // What got lost may have been meant for others only.
      assert.ok(missing.length <= dropped, `${room}: ${missing.length} missing, ${dropped} told`);
    }
  }

  async #checkEmpty(): Promise<void> {
    for (const client of this.#clients) client.link?.lose();
    this.clock.advance(graceMs);
    await settled();
    for (const { connects, disconnects } of this.#ledgers.values()) {
      assert.deepEqual([connects, disconnects], [1, 1], "one disconnect for each connect");
    }
    assert.deepEqual([this.hub.size, this.hub.roomCount], [0, 0]);
    this.clock.advance(ttlMs + 20_000);
    assert.deepEqual([this.#memory.size, this.clock.size], [0, 0]);
    await this.hub.close();
  }

  #client(which: number): Client {
    const client = this.#clients[which % this.#clients.length];
    assert.ok(client !== undefined);
    return client;
  }

  #ledgerOf(session: Session): Ledger {
    let ledger = this.#ledgers.get(session);
    if (ledger === undefined) {
      ledger = {
        session,
        memberships: new Map(),
        joined: new Set(),
        sent: [],
        had: [],
        connects: 0,
        disconnects: 0,
        drops: 0,
        told: 0,
      };
      this.#ledgers.set(session, ledger);
    }
    return ledger;
  }

  #text(): string {
    return String(++this.#texts).padStart(publicationBytes - 65, "0");
  }

  /** The client reads so many frames of its link. */
  #read(client: Client, count: number): void {
    const { link, ledger } = client;
    if (link === undefined || ledger === undefined) return;
    const frames = link.frames.slice(client.read, client.read + count);
    client.read += frames.length;
    ledger.had.push(...frames);
    for (const frame of frames) {
      const [, room, offset] = /^(\w)#(\d+):/.exec(frame) ?? [];
      const seen = room === undefined ? undefined : client.seen.get(room);
      if (room !== undefined && seen !== undefined)
        client.seen.set(room, { ...seen, offset: Number(offset) });
    }
  }
}

/** How many deliveries a link was told of that were dropped. */
function toldBy(link: FakeLink): number {
  return link.log
    .map((line) => /^dropped \w+ \w+ (\d+)$/.exec(line)?.[1])
    .reduce((sum, count) => sum + Number(count ?? 0), 0);
}
