import { once } from "node:events";
import { type AddressInfo, createServer, Socket } from "node:net";
import type { TestContext } from "node:test";
import { SocketConnection } from "../../src/socket-connection.ts";
import { defaultLimits, type WebSocketHandlers } from "../../src/index.ts";

/** Both ends of a TCP connection. */
export interface Pair {
  readonly accepted: Socket;
  readonly peer: Socket;
}

/** A promise that is settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

/** Makes a {@link Deferred}. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((resolved) => (resolve = resolved));
  return { promise, resolve };
}

/** Connects two sockets over TCP, for as long as the test runs. */
export async function pair(context: TestContext): Promise<Pair> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const peer = new Socket();
  context.after(() => peer.destroy());
  const connected = once(server, "connection");
  peer.connect(port, "127.0.0.1");
  const [accepted] = (await connected) as [Socket];
  context.after(() => accepted.destroy());
  return { accepted, peer };
}

/** A WebSocket connection on a socket, without a handshake. */
export function connection(
  socket: Socket,
  handlers: WebSocketHandlers,
  role: "server" | "client",
): SocketConnection {
  return new SocketConnection(socket, Buffer.alloc(0), {
    role,
    protocol: "",
    data: undefined,
    handlers,
    limits: { ...defaultLimits, maxBufferedBytes: 64 * 1024 * 1024 },
    compression: undefined,
  });
}

/** Takes messages; `all` is settled when as many have come as were wanted. */
export function collect(wanted: number): {
  readonly messages: Buffer[];
  readonly all: Promise<void>;
  take(data: Buffer): void;
} {
  const messages: Buffer[] = [];
  const { promise, resolve } = deferred<void>();
  return {
    messages,
    all: promise,
    take(data) {
      messages.push(data);
      if (messages.length === wanted) resolve();
    },
  };
}
