import { randomBytes } from "node:crypto";
import { encodeFrame } from "./frame.ts";

/** What a client of one kind says on its socket besides reading. */
export interface FanoutWire {
  /** Path and query of the handshake. */
  readonly target: string;
  /** No handshake, and frames from the first byte. */
  readonly isBare?: true;
  /** `Sec-WebSocket-Protocol`. */
  readonly protocol?: string;
  /** The first text, by which it comes into the room; without one the server lets in whoever connects. */
  readonly hello?: string;
  /** Whether a text says that the client is in. */
  isWelcome?(payload: Buffer): boolean;
  /** The reply to a text that is no message, such as a ping; undefined for none. */
  reply?(payload: Buffer): string | undefined;
}

const plain: FanoutWire = { target: "/" };

const session: FanoutWire = {
  target: "/",
  protocol: "sluice.session.v1",
  hello: JSON.stringify({ connect: { rooms: [{ room: "lobby" }] } }),
  isWelcome: (payload) => payload.includes('"connected"'),
};

/** Engine.IO 4 and Socket.IO 5: `40` connects to the namespace and is answered the same, `2` is a ping and `3` its pong. */
const socketIo: FanoutWire = {
  target: "/socket.io/?EIO=4&transport=websocket",
  hello: "40",
  isWelcome: (payload) => payload.toString("latin1", 0, 2) === "40",
  reply: (payload) => (payload.toString("latin1") === "2" ? "3" : undefined),
};

/** How the clients of each subject speak. */
export const fanoutWires = {
  net: { target: "/", isBare: true },
  ws: plain,
  "socket.io": socketIo,
  hub: plain,
  "hub+session": session,
} as const satisfies Record<string, FanoutWire>;

/** A subject of the bench; `net` has bare sockets, `hub` has the raw face, `hub+session` the session wire. */
export type FanoutSubjectName = keyof typeof fanoutWires;

/** Narrows a command-line argument. Throws a `RangeError`. */
export function fanoutSubjectNameFrom(text: string | undefined): FanoutSubjectName {
  const names = Object.keys(fanoutWires) as FanoutSubjectName[];
  const name = names.find((each) => each === text);
  if (name === undefined) throw new RangeError(`no subject ${String(text)}: one of ${names.join(", ")}`);
  return name;
}

/** A masked text frame, as a client sends it. */
export function encodeText(text: string): Buffer {
  const frame = encodeFrame(Buffer.from(text), { mask: randomBytes(4) });
  frame[0] = 0x81;
  return frame;
}

/** The masked reply to a ping of RFC 6455. */
export function encodePong(payload: Buffer): Buffer {
  const frame = encodeFrame(payload, { mask: randomBytes(4) });
  frame[0] = 0x8a;
  return frame;
}
