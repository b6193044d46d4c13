import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { createReadCallback, shareReads } from "../src/shared-reads.ts";
import { SocketConnection } from "../src/socket-connection.ts";
import { defaultLimits, type WebSocketHandlers } from "../src/index.ts";

interface Pair {
  readonly accepted: Socket;
  readonly peer: Socket;
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((resolved) => (resolve = resolved));
  return { promise, resolve };
}

async function pair(context: TestContext): Promise<Pair> {
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

function connection(
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

/** Ends when as many messages have come as were wanted. */
function collect(wanted: number): {
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

const sizes = [0, 1, 100, 5000, 40_000, 70_000, 300_000, 10, 40_000, 3];

function payload(index: number): Buffer {
  return Buffer.alloc(sizes[index]!, `${index}`);
}

describe("the shortcuts to a socket of the system", () => {
  test("reads of accepted sockets share their memory on this version of Node", async (context) => {
    const { accepted, peer } = await pair(context);
    const { promise, resolve } = deferred<string>();
    const callback = createReadCallback((socket, bytes) => {
      assert.equal(socket, accepted);
      resolve(bytes.toString());
      return true;
    });
    assert.equal(shareReads(accepted, callback), true);
    assert.equal(shareReads(accepted, callback), false, "it has the option already");
    accepted.resume();
    peer.write("hello");
    assert.equal(await promise, "hello");
  });

  for (const shared of [true, false]) {
    test(`messages that are kept stay as they were, ${shared ? "from shared memory" : "where Node has no such thing"}`, async (context) => {
      const pairs = [await pair(context), await pair(context)];
      await Promise.all(
        pairs.map(async ({ accepted, peer }) => {
          if (!shared) hideUserBuffer(accepted);
          const received = collect(sizes.length);
          connection(accepted, { message: (_, data) => received.take(data) }, "server");
          const client = connection(peer, {}, "client");
          for (const index of sizes.keys()) client.send(payload(index));
          await received.all;
          for (const [index, message] of received.messages.entries()) {
            assert.ok(message.equals(payload(index)), `message ${index} of ${sizes[index]} bytes`);
          }
        }),
      );
    });
  }

  test("a socket that is destroyed in the middle of a read is read no more", async (context) => {
    const { accepted, peer } = await pair(context);
    const { promise, resolve } = deferred<void>();
    let messages = 0;
    const server = connection(
      accepted,
      {
        message() {
          messages++;
          server.terminate();
        },
        close: () => resolve(),
      },
      "server",
    );
    const client = connection(peer, {}, "client");
    for (let index = 0; index < 100; index++) client.send("x".repeat(1000));
    await promise;
    assert.equal(messages, 1);
  });

  test("what the system does not take at once leaves later, in order, and a drain tells of it", async (context) => {
    const { accepted, peer } = await pair(context);
    let drains = 0;
    const server = connection(accepted, { drain: () => drains++ }, "server");
    let sent = 0;
    // Each in a tick of its own, so that each is one small write.
    while (server.send(Buffer.alloc(8000, sent))) {
      sent++;
      await new Promise(setImmediate);
    }
    sent++;
    const waiting = server.bufferedAmount;
    assert.ok(waiting >= defaultLimits.highWaterMark, `${waiting} bytes wait`);
    for (let index = 0; index < 10; index++) {
      server.send(Buffer.alloc(100, sent++));
      await new Promise(setImmediate);
    }
    assert.equal(drains, 0);
    const received = collect(sent);
    connection(peer, { message: (_, data) => received.take(data) }, "client");
    await received.all;
    assert.deepEqual(
      received.messages.map((message) => message[0]),
      Array.from({ length: sent }, (_, index) => index & 0xff),
    );
    assert.equal(server.bufferedAmount, 0);
    assert.ok(drains >= 1, "a drain came");
  });
});

/** As on a version of Node, or a kind of socket, that has no such thing. */
function hideUserBuffer(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: object };
  Object.defineProperty(handle, "useUserBuffer", { value: undefined });
}
