/** What a hub has done so far; all of them only grow. */
export interface HubCounts {
  /** Sessions that were let in. */
  readonly connected: number;
  /** Links that went on with a session that was there. */
  readonly resumed: number;
  /** Clients that wanted to go on with a session and could not have what they missed. */
  readonly notRecovered: number;
  /** Clients that were not let in, by close code. */
  readonly refused: Readonly<Record<number, number>>;
  /** Sessions that ended, by close code. */
  readonly closed: Readonly<Record<number, number>>;
  /** Messages from clients. */
  readonly received: number;
  /** Deliveries to sessions, those that wait or were dropped later among them. */
  readonly delivered: number;
  /** Deliveries that were not sent, by reason; of `lost` those that are known by number. */
  readonly dropped: Readonly<Record<"slow" | "lost" | "closed", number>>;
  /** Holes in the offsets of rooms that were filled from their histories. */
  readonly holesFilled: number;
  /** Holes that could not be filled. */
  readonly holesLost: number;
  /** Publications that came a second time, and were passed by. */
  readonly repeated: number;
  /** What `authorize` did not allow, by action. */
  readonly denied: Readonly<Record<string, number>>;
  /** Handlers that threw or rejected, and calls of the broker that failed. */
  readonly errors: number;
}
