/** The types of packets (Engine.IO revisions 3 and 4). A number on the wire, as a digit in texts. */
export const PacketType = {
  OPEN: 0,
  CLOSE: 1,
  PING: 2,
  PONG: 3,
  MESSAGE: 4,
  UPGRADE: 5,
  NOOP: 6,
} as const;

/** One of the types of packets. */
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** What a message says: a string is a text, bytes are binary. */
export type MessageData = string | Uint8Array;

/** One packet. Only a message can be binary. */
export interface Packet<Data extends MessageData = MessageData> {
  readonly type: PacketType;
  /** Empty where there is none. */
  readonly data: Data;
}

/** A packet as it came. */
export type ReceivedPacket = Packet<string | Buffer>;

/** A revision of the Engine.IO protocol: 3 is that of Socket.IO clients 2.x, 4 that of later ones. */
export type Revision = 3 | 4;

const names = ["open", "close", "ping", "pong", "message", "upgrade", "noop"] as const;

/** What Socket.IO's users call a type. */
export type PacketName = (typeof names)[number];

/** The name of a type. */
export function nameOfPacketType(type: PacketType): PacketName {
  return names[type];
}
