import { once } from "node:events";
import { connect } from "node:net";
import type { Outcome } from "./row.ts";

/** A request for a WebSocket; default: of the REST dialect, for a unary method. */
export interface Handshake {
  readonly path?: string;
  readonly method?: string;
  readonly version?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The bytes of a request for a WebSocket. */
export function handshake({
  path = "/v1/say",
  method = "GET",
  version = "1.1",
  headers = {},
}: Handshake): string {
  const all = {
    host: "x",
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/${version}\r\n${lines.join("")}\r\n`;
}

/** A frame with a mask of zeros, by its first byte. `length` is what it says of itself, where that is a lie. */
export function frame(first: number, payload: string | Uint8Array = "", length?: number): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
  const said = length ?? bytes.length;
  const head = Buffer.alloc(said < 126 ? 2 : said < 65_536 ? 4 : 10);
  head.writeUInt8(first, 0);
  head.writeUInt8(0x80 | (said < 126 ? said : said < 65_536 ? 126 : 127), 1);
  if (head.length === 4) head.writeUInt16BE(said, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(said), 2);
  return Buffer.concat([head, Buffer.alloc(4), bytes]);
}

/** The first bytes of frames that are whole messages. */
export const text = 0x81;
export const binary = 0x82;
export const close = 0x88;

/** Finds in what the gateway has sent, from its first frame on, how it ends; undefined where it goes on. */
export type ReadEnd = (frames: readonly Frame[]) => Outcome | undefined;

/** A frame of the gateway. */
export interface Frame {
  /** Its first byte. */
  readonly first: number;
  readonly payload: Buffer;
}

/** Opens a WebSocket, sends bytes, and resolves with how the gateway ends it; `read` says when that is. */
export async function converse(
  port: number,
  asked: Handshake,
  bytes: Uint8Array,
  read: ReadEnd = closeOf,
): Promise<Outcome> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => undefined);
  let received: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  socket.write(handshake(asked));
  await once(socket, "data");
  const outcome = (): Outcome | undefined =>
    read(framesOf(received.subarray(received.indexOf("\r\n\r\n") + 4)));
  socket.on("data", () => {
    if (outcome() !== undefined) socket.end();
  });
  socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  return outcome() ?? { said: "closed", message: received.toString("latin1") };
}

/** The frames that have come whole. */
function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = bytes.readUInt8(at + 1);
    const start = at + (short === 126 ? 4 : short === 127 ? 10 : 2);
    if (start > bytes.length) break;
    const length =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? bytes.readUInt32BE(at + 6) : short;
    if (start + length > bytes.length) break;
    frames.push({ first: bytes.readUInt8(at), payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return frames;
}

/** What the close frame says. */
export function closeOf(frames: readonly Frame[]): Outcome | undefined {
  const payload = frames.find(({ first }) => first === close)?.payload;
  if (payload === undefined) return undefined;
  if (payload.length < 2) return { said: "close", message: "" };
  return { said: `close ${payload.readUInt16BE()}`, message: payload.toString("utf8", 2) };
}
