import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { preface } from "../../src/http2/frame.ts";
import { FrameReader } from "../../src/http2/frame-reader.ts";

/** A frame that a client has sent. */
export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** A server that says what a test wants, to the byte. */
export interface RawServer {
  readonly address: string;
  readonly frames: readonly ReceivedFrame[];
  close(): Promise<void>;
}

/** The bytes of a frame; the payload in hex. */
export function frame(type: number, flags: number, streamId: number, payload = ""): Buffer {
  const bytes = Buffer.from(payload.replaceAll(" ", ""), "hex");
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, bytes]);
}

/** Listens on 127.0.0.1, begins with SETTINGS, and calls `react` for each frame. */
export async function startRawServer(
  react: (received: ReceivedFrame, socket: Socket) => void,
  settings = frame(4, 0, 0),
): Promise<RawServer> {
  const frames: ReceivedFrame[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write(settings);
    let left = preface.length;
    const reader = new FrameReader((type, flags, streamId, payload) => {
      const received = { type, flags, streamId, payload };
      frames.push(received);
      react(received, socket);
    });
    socket.on("data", (chunk: Buffer) => {
      const rest = chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
      reader.push(rest);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    frames,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
