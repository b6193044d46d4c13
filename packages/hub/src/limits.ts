/** Every bound of a hub. What is not given has the default of `defaultHubLimits`. Infinity is allowed. */
export interface HubLimits {
  /**
   * Sessions that were let in on this node, those without a link among them. Default 100,000. Over it: the one that is away
   * the longest ends once another is let in; where none is, the client is refused with 1013. Of those that have a link,
   * there are never more, those that are being let in among them.
   */
  readonly sessions: number;
  /**
   * Sessions of one user on this node. Default 100. Over it: one of them that is away ends once another is let in; where
   * none is, the client is refused with 4429.
   */
  readonly sessionsPerUser: number;
  /** Milliseconds from `attach` until the client is let in, its rooms joined. Default 10,000. Over it: 4408. */
  readonly openingMs: number;
  /** Rooms that one session may be in. Default 128. Over it: `RESOURCE_EXHAUSTED`. */
  readonly roomsPerSession: number;
  /** Bytes of a room's name as UTF-8. Default 255. Over it: `INVALID_ARGUMENT`. */
  readonly roomNameBytes: number;
  /**
   * Bytes of a message and its type, from a client or published. Default 65,536. Over it: the session is closed with
   * 1009, or `INVALID_ARGUMENT`.
   */
  readonly messageBytes: number;
  /** Messages a second that one client may send, in the long run. Default 100. Over it: closed with 4429. */
  readonly messagesPerSecond: number;
  /** Messages that one client may send at once, after a silence. Default 200. Over it: closed with 4429. */
  readonly messageBurst: number;
  /**
   * Bytes that may wait for one client, those in its link among them. Default 1,048,576. Over it: the policy of the
   * room, `RoomOptions.slow`; for messages to the session itself, closed with 4413.
   */
  readonly outboxBytes: number;
  /** Deliveries that are kept for a session with a resume key until it tells that it had them. Default 256. */
  readonly replayCount: number;
  /** Bytes of such deliveries. Default 262,144. Over either: the oldest is forgotten, and with it what it could recover. */
  readonly replayBytes: number;
  /** Publications that one recovery or one page of history may give. Default 300. Over it: not recovered; a shorter page. */
  readonly historyPage: number;
  /** Entries of a session's state. Default 64. Over it: `RESOURCE_EXHAUSTED`. */
  readonly stateEntries: number;
  /** Bytes of all keys and values of a session's state as UTF-8. Default 16,384. Over it: `RESOURCE_EXHAUSTED`. */
  readonly stateBytes: number;
  /** Members that a presence names; the counts are of all. Default 1000. */
  readonly presenceMembers: number;
}

/** The limits that hold where none are given. */
export const defaultHubLimits: HubLimits = Object.freeze({
  sessions: 100_000,
  sessionsPerUser: 100,
  openingMs: 10_000,
  roomsPerSession: 128,
  roomNameBytes: 255,
  messageBytes: 65_536,
  messagesPerSecond: 100,
  messageBurst: 200,
  outboxBytes: 1_048_576,
  replayCount: 256,
  replayBytes: 262_144,
  historyPage: 300,
  stateEntries: 64,
  stateBytes: 16_384,
  presenceMembers: 1000,
});

/** The given limits with the defaults for the rest. Throws a RangeError that names the limit which cannot be meant. */
export function resolveHubLimits(limits: Partial<HubLimits> = {}): HubLimits {
  const resolved = { ...defaultHubLimits, ...limits };
  for (const [name, value] of Object.entries(resolved)) {
    if (typeof value !== "number" || !(value > 0)) {
      throw new RangeError(`limits.${name} is ${String(value)}: it must be a number above 0`);
    }
  }
  return Object.freeze(resolved);
}
