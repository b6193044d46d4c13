/**
 * Why a session was not given something:
 * - `slow`: it reads too slowly, and the room's policy is to drop the oldest, or to keep the latest only
 * - `lost`: publications did not reach this node, and are not in the room's history; how many is not always known
 * - `closed`: the session ended before it could be sent
 */
export type DropReason = "slow" | "lost" | "closed";

/** Something that a session was not given. */
export interface Drop {
  readonly reason: DropReason;
  /** The room that it was of; empty for messages to the session itself, and where several rooms are concerned. */
  readonly room: string;
  /** How many deliveries; 0 where that is not known. */
  readonly count: number;
}
