import type { Broker } from "./broker/broker.ts";
import { MemoryBroker } from "./broker/memory-broker.ts";
import { type Clock, systemClock } from "./clock.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import { Events } from "./events.ts";
import type { Admit, Authorize, HubOptions } from "./hub-options.ts";
import { type HubLimits, resolveHubLimits } from "./limits.ts";
import type { LiveSession } from "./live-session.ts";
import { RateLimit } from "./rate-limit.ts";
import type { RoomRule } from "./room-options.ts";
import { Rooms } from "./rooms.ts";
import { SessionTable } from "./session-table.ts";
import { Tally } from "./tally.ts";

/** What the parts of a hub share. */
export class Core {
  readonly limits: HubLimits;
  readonly clock: Clock;
  readonly graceMs: number;
  readonly broker: Broker;
  readonly rule: RoomRule;
  readonly admit: Admit | undefined;
  readonly authorize: Authorize | undefined;
  readonly events: Events = new Events();
  readonly tally: Tally = new Tally();
  readonly sessions: SessionTable = new SessionTable();
  readonly rooms: Rooms;
  /** What one client may want. */
  readonly rate: RateLimit;
  /** Sessions whose link is not open yet. */
  readonly opening: DeadlineQueue<LiveSession>;
  /** Sessions that wait for another link. */
  readonly away: DeadlineQueue<LiveSession>;

  constructor(options: HubOptions) {
    const { clock = systemClock, graceMs = 60_000, rooms = () => ({}) } = options;
    if (!(graceMs >= 0)) throw new RangeError(`graceMs is ${graceMs}: it must be a number, 0 or above`);
    this.limits = resolveHubLimits(options.limits);
    this.clock = clock;
    this.graceMs = graceMs;
    this.rule = rooms;
    this.admit = options.admit;
    this.authorize = options.authorize;
    this.broker = options.broker ?? new MemoryBroker({ clock });
    this.rooms = new Rooms(this);
    this.rate = new RateLimit(this.limits.messagesPerSecond, this.limits.messageBurst);
    this.opening = new DeadlineQueue(this.limits.openingMs, clock, expire);
    this.away = new DeadlineQueue(graceMs, clock, expire);
    this.broker.attach(
      (publication) => this.rooms.receive(publication),
      () => this.rooms.check(),
    );
  }
}

function expire(session: LiveSession): void {
  session.expire();
}
