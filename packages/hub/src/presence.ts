/** A session in a room, as others may see it. */
export interface Member {
  /** The session's id. */
  readonly session: string;
  /** The session's number. */
  readonly number: number;
  /** Its user; empty for nobody in particular. */
  readonly user: string;
  /** What its identity lets others see; `undefined` for nothing. */
  readonly info: unknown;
}

/** Who is in a room, on this node. */
export interface Presence {
  /** The first members, in the order in which they joined: at most `HubLimits.presenceMembers`. */
  readonly members: readonly Member[];
  /** How many sessions there are in all. */
  readonly sessions: number;
  /** How many users there are in all, those that are nobody in particular not counted. */
  readonly users: number;
}
