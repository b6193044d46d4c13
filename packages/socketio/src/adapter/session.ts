import type { Room, SocketId } from "./broadcast-options.ts";

/** The secret of a client by which it gets its session back. */
export type PrivateSessionId = string;

/** What is kept of a socket that was lost. */
export interface SessionToPersist {
  sid: SocketId;
  pid: PrivateSessionId;
  rooms: Room[];
  data: unknown;
  /** When what its client has proven of itself is over, in milliseconds since 1970. From then on it is not given back. */
  expiresAt?: number;
}

/** What a client that returns is given back. */
export interface Session extends SessionToPersist {
  /** The arguments of each event that was missed, the event's name first, in order. */
  missedPackets: unknown[][];
  /** Behind these, packets as the messages that they are, in order. Looked at when they are sent. */
  missedMessages?: Iterable<readonly (string | Uint8Array)[]>;
}
