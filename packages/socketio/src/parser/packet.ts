/** The types of Socket.IO's packets (protocol revisions 4 and 5). A digit on the wire. */
export const PacketType = {
  CONNECT: 0,
  DISCONNECT: 1,
  EVENT: 2,
  ACK: 3,
  /** In revision 4: ERROR. */
  CONNECT_ERROR: 4,
  BINARY_EVENT: 5,
  BINARY_ACK: 6,
} as const;

/** One of the types of packets. */
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** One packet. One with binary data is an EVENT or ACK like any other: how it travels is the codec's. */
export interface Packet {
  readonly type: PacketType;
  /** The namespace, `/` for the main one. */
  readonly nsp: string;
  /** An object for CONNECT, arguments for EVENT and ACK; absent where there is nothing. */
  readonly data?: unknown;
  /** What an EVENT asks to be acknowledged with, and what an ACK acknowledges. */
  readonly id?: number | undefined;
}

/** Names that an application's event cannot have, because its sockets have events of these names. */
export const reservedEvents: ReadonlySet<string> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);
