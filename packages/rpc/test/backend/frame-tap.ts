import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

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
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
};

/** A relay that shows what a client sends. */
export interface FrameTap {
  readonly address: string;
  /** All frames of the client since the start, in order. */
  readonly frames: readonly Frame[];
  /** Resolves when `condition` holds for the frames. */
  until(condition: (frames: readonly Frame[]) => boolean): Promise<void>;
  close(): Promise<void>;
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Listens on 127.0.0.1 and hands every connection on to `port`. */
export async function startFrameTap(port: number): Promise<FrameTap> {
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  const sockets = new Set<Socket>();
  const tap = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    let held = Buffer.alloc(0);
    let isBegun = false;
    client.on("data", (chunk: Buffer) => {
      server.write(chunk);
      held = Buffer.concat([held, chunk]);
      if (!isBegun && held.length < preface.length) return;
      if (!isBegun) held = held.subarray(preface.length);
      isBegun = true;
      while (held.length >= 9 && held.length >= 9 + held.readUIntBE(0, 3)) {
        const end = 9 + held.readUIntBE(0, 3);
        const payload = held.subarray(9, end);
        frames.push({
          type: held.readUInt8(3),
          flags: held.readUInt8(4),
          stream: held.readUInt32BE(5),
          payload,
        });
        held = held.subarray(end);
      }
      for (const check of waiting) check();
    });
    server.pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  tap.listen(0, "127.0.0.1");
  await once(tap, "listening");
  return {
    address: `127.0.0.1:${(tap.address() as AddressInfo).port}`,
    frames,
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition(frames)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    close: async () => {
      const closed = once(tap, "close");
      tap.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
