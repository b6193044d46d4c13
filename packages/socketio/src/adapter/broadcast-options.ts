/** The public id of a socket. */
export type SocketId = string;

/** The name of a room. */
export type Room = string;

/** How a packet is to be sent to many. */
export interface BroadcastFlags {
  /** Drops the packet for clients that cannot take it at once. */
  volatile?: boolean;
  /** Whether the packet may be compressed. Default true. */
  compress?: boolean;
  /** Only for the sockets of this server. */
  local?: boolean;
  /** All but the sender; the sender is then among those excepted. */
  broadcast?: boolean;
  /** A hint of older versions, without a meaning. */
  binary?: boolean;
  /** Milliseconds until the acknowledgements must have come. */
  timeout?: number;
  /** Whether the one socket that is asked answers for itself, instead of as one of many. */
  expectSingleResponse?: boolean;
}

/** Whom a packet, or a change of rooms, is for. */
export interface BroadcastOptions {
  /** Sockets in any of these rooms, each once; all sockets where there is none. */
  rooms: Set<Room>;
  /** But none that is in one of these. */
  except?: Set<Room>;
  flags?: BroadcastFlags;
}
