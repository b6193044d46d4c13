import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** One HTTP/2 frame. Source: RFC 9113, section 4.1. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { none: 0, endStream: 1, ack: 1, endHeaders: 4 } as const;

/** The names of the error codes of RST_STREAM and GOAWAY. Source: RFC 9113, section 7. */
const errorNames = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
];

/** The bytes of a frame; `length` is what its head says, where that is a lie. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | string = "",
  length?: number,
): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "hex") : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(length ?? bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** Fields as HPACK literals that nobody remembers (RFC 7541, section 6.2.2), whatever they are. */
export function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]),
  );
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  length.push(rest);
  return Buffer.concat([Buffer.from(length), bytes]);
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A client of HTTP/2 that sends any bytes at all, and understands no more than frames. */
export class Http2Peer {
  readonly socket: Socket;
  /** What the server has sent, in order. */
  readonly frames: Frame[] = [];
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
  #held: Buffer = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("close", () => this.#wake());
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      this.#held = Buffer.concat([this.#held, chunk]);
      this.#cut();
      this.#wake();
    });
  }

  /** Connects with these settings, as hex: 2 bytes of identifier and 4 of value, each. Those of the server are accepted. */
  static async connect(port: number, settings = ""): Promise<Http2Peer> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    const peer = new Http2Peer(socket);
    peer.send(preface, frame(frameType.settings, flag.none, 0, settings));
    await peer.until(({ type, flags }) => type === frameType.settings && flags === flag.none);
    peer.send(frame(frameType.settings, flag.ack, 0));
    return peer;
  }

  send(...bytes: readonly Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(bytes));
  }

  /** Resolves with the first frame of which `condition` is true; rejects when the connection ends without. */
  async until(condition: (frame: Frame) => boolean): Promise<Frame> {
    for (let next = 0; ;) {
      for (; next < this.frames.length; next++) {
        const each = this.frames[next];
        if (each !== undefined && condition(each)) return each;
      }
      if (this.socket.destroyed) throw new Error("the connection ended without the frame");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /**
   * Resolves with what the server says to a stream, or to the connection, that it ends: `RST_STREAM CANCEL`,
   * `GOAWAY PROTOCOL_ERROR`, or `closed` where it says nothing.
   */
  async verdict(): Promise<string> {
    const isVerdict = ({ type }: Frame): boolean => type === frameType.rstStream || type === frameType.goaway;
    const said = await this.until(isVerdict).catch(() => undefined);
    if (said === undefined) return "closed";
    const code = said.payload.readUInt32BE(said.type === frameType.goaway ? 4 : 0);
    return `${said.type === frameType.goaway ? "GOAWAY" : "RST_STREAM"} ${errorNames[code] ?? code}`;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #cut(): void {
    while (this.#held.length >= 9) {
      const end = 9 + this.#held.readUIntBE(0, 3);
      if (this.#held.length < end) return;
      this.frames.push({
        type: this.#held.readUInt8(3),
        flags: this.#held.readUInt8(4),
        stream: this.#held.readUInt32BE(5) & 0x7fffffff,
        payload: this.#held.subarray(9, end),
      });
      this.#held = this.#held.subarray(end);
    }
  }
}
