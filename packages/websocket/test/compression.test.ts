import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, type TestContext, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { WebSocket, WebSocketServer } from "ws";
import { type CompressionOptions, connectWebSocket, PreparedMessage, ZlibPool } from "../src/index.ts";
import { frame } from "./support/frames.ts";
import { echo, Journal } from "./support/journal.ts";
import { rawClient } from "./support/raw-client.ts";
import { listen } from "./support/server.ts";

const mask = Buffer.from("12345678", "hex");
const sizes = [0, 1, 100, 5000, 16_384, 16_385, 70_000, 1_000_000];

/** Text that compresses somewhat, different at every place. */
function textOf(size: number): string {
  let text = "";
  let value = size + 1;
  while (text.length < size) {
    value = (value * 48_271) % 2_147_483_647;
    text += `${value.toString(36)} the same again `;
  }
  return text.slice(0, size);
}

const variants: readonly [name: string, options: Partial<CompressionOptions>][] = [
  ["the defaults", {}],
  ["threshold 0", { threshold: 0 }],
  ["no context takeover", { threshold: 0, contextTakeover: false, peerContextTakeover: false }],
  ["small windows", { threshold: 0, windowBits: 9, peerWindowBits: 9, memoryLevel: 1, level: 1 }],
  ["large windows", { threshold: 0, windowBits: 15, peerWindowBits: 15, memoryLevel: 9, level: 9 }],
];

async function wsEchoServer(context: TestContext): Promise<string> {
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    perMessageDeflate: { threshold: 0 },
  });
  context.after(() => server.close());
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server, "listening");
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
}

function lengths(entries: readonly string[]): number[] {
  return entries.map((entry) => entry.length);
}

describe("a compressed connection", () => {
  for (const [name, compression] of variants) {
    test(`with ${name} echoes to the client ws`, async (context) => {
      const server = await listen(context, { handlers: echo, compression });
      const client = new WebSocket(server.url, { perMessageDeflate: { threshold: 0 } });
      await once(client, "open");
      assert.match(client.extensions, /permessage-deflate/);
      for (const size of [...sizes, ...sizes]) {
        const text = textOf(size);
        for (const message of [text, Buffer.from(text)]) {
          client.send(message);
          const [data, isBinary] = (await once(client, "message")) as [Buffer, boolean];
          assert.equal(isBinary, message !== text);
          assert.equal(data.toString() === text, true, `${typeof message} of ${size}`);
        }
      }
      client.close();
      await once(client, "close");
    });

    test(`with ${name} talks to the server ws, and keeps the order`, async (context) => {
      const journal = new Journal();
      const client = await connectWebSocket(await wsEchoServer(context), { handlers: journal, compression });
      const expected: string[] = [];
      for (const size of [...sizes, ...sizes.toReversed()]) {
        const text = textOf(size);
        client.send(text);
        client.send(new PreparedMessage(text));
        expected.push(`text ${text}`, `text ${text}`);
      }
      client.close(1000, "done");
      await journal.end();
      assert.deepEqual(lengths(journal.entries), lengths([...expected, "close 1000 done"]));
      assert.equal(journal.entries.slice(0, -1).join() === expected.join(), true);
    });
  }

  test("sends prepared messages between others, to connections with different windows", async (context) => {
    const server = await listen(context, {
      handlers: {},
      compression: { threshold: 0, windowBits: 15, peerWindowBits: 15 },
    });
    const journals: Journal[] = [];
    for (const compression of [true, { peerWindowBits: 9 }, { peerContextTakeover: false }, false]) {
      const handlers = new Journal();
      journals.push(handlers);
      await connectWebSocket(server.url, { handlers, compression });
    }
    const text = textOf(3000);
    const prepared = new PreparedMessage(text);
    for (let round = 0; round < 3; round++) {
      for (const connection of server.connections) {
        connection.send(text);
        connection.send(prepared);
        connection.send(prepared);
      }
    }
    for (const journal of journals) {
      await journal.count(9);
      assert.ok(journal.entries.every((entry) => entry === `text ${text}`));
    }
  });

  test("drains after messages that were large before compression and are small after", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal, compression: true });
    const received = new Journal();
    await connectWebSocket(server.url, { handlers: received, compression: true });
    const connection = server.connections[0]!;
    assert.equal(connection.send(Buffer.alloc(100_000)), false);
    assert.ok(connection.bufferedAmount >= 100_000);
    assert.deepEqual(await journal.count(1), ["drain"]);
    assert.equal(connection.bufferedAmount, 0);
  });

  const limits = { maxMessageBytes: 100_000 };
  for (const [name, size] of [
    ["at once", 200_000],
    ["on a thread", 40_000_000],
  ] as const) {
    test(`refuses a small frame that inflates beyond the limit ${name}`, async (context) => {
      const journal = new Journal();
      const server = await listen(context, { handlers: journal, compression: true, limits });
      const socket = await rawClient(context, server.port, "permessage-deflate");
      const bomb = deflateRawSync(Buffer.alloc(size), { finishFlush: 2 }).subarray(0, -4);
      assert.ok(bomb.length < 60_000);
      socket.write(frame(0xc2, bomb, mask));
      const closed = await journal.end();
      assert.deepEqual([closed.code, closed.cause?.code], [1009, "message_too_big"]);
    });
  }

  test("takes a message of the limit, whatever it compresses to", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal, compression: true, limits });
    const client = await connectWebSocket(server.url, { compression: { threshold: 0 } });
    client.send(Buffer.alloc(100_000));
    client.send(Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * index * 31) >> 7)));
    client.send(Buffer.alloc(100_001));
    const entries = await journal.count(3);
    assert.match(entries[2]!, /^close 1009 /);
  });

  for (const [name, wire, code] of [
    ["data that does not inflate", frame(0xc1, Buffer.from("ffffffff", "hex"), mask), 1007],
    ["much data that does not inflate", frame(0xc1, Buffer.alloc(20_000, 255), mask), 1007],
    ["a compressed text that is not UTF-8", frame(0xc1, deflate(Buffer.from([0x61, 0xff])), mask), 1007],
    ["RSV1 on a continuation", Buffer.concat([frame(0x41, "", mask), frame(0xc0, "", mask)]), 1002],
  ] as const) {
    test(`fails on ${name} with ${code}`, async (context) => {
      const journal = new Journal();
      const server = await listen(context, { handlers: journal, compression: true });
      const socket = await rawClient(context, server.port, "permessage-deflate");
      socket.write(wire);
      const closed = await journal.end();
      assert.equal(closed.code, code);
      assert.equal(journal.entries.length, 1);
    });
  }

  test("does not share a broken state with the next connection", async (context) => {
    const compression = { peerContextTakeover: false };
    const server = await listen(context, { handlers: echo, compression });
    const socket = await rawClient(context, server.port, "permessage-deflate");
    socket.write(frame(0xc1, Buffer.from("ffffffff", "hex"), mask));
    await once(socket, "data");
    const journal = new Journal();
    const client = await connectWebSocket(server.url, { handlers: journal, compression: { threshold: 0 } });
    client.send("hello");
    assert.deepEqual(await journal.count(1), ["text hello"]);
  });

  test("reads messages whose last block is marked, and those of RFC 7692 section 7.2.3", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal, compression: true });
    const socket = await rawClient(context, server.port, "permessage-deflate");
    const vectors = [
      "f248cdc9c90700", // 7.2.3.1: one block
      "f200110000", // 7.2.3.2: the same again, from the window
      "000500faff48656c6c6f00", // 7.2.3.3: not compressed
      "f348cdc9c9070000", // 7.2.3.4: the last block marked
      "f248050000 00ffffcac9c90700".replace(" ", ""), // 7.2.3.5: two blocks
      "f348cdc9c90700", // marked, and nothing behind
      "f248cdc9c90700",
    ];
    for (const vector of vectors) socket.write(frame(0xc1, Buffer.from(vector, "hex"), mask));
    socket.write(
      Buffer.concat([
        frame(0x41, Buffer.from("f248cd", "hex"), mask),
        frame(0x80, Buffer.from("c9c90700", "hex"), mask),
      ]),
    );
    const entries = await journal.count(8);
    assert.deepEqual(
      entries,
      Array.from({ length: 8 }, () => "text Hello"),
    );
  });

  test("holds back what follows a message that is inflated on a thread, also over a pause", async (context) => {
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      void listen(context, {
        compression: true,
        limits: { maxMessageBytes: 10_000_000 },
        handlers: {
          message(connection, data) {
            order.push(`message ${data.length}`);
            if (data.length === 2) resolve();
            if (data.length !== 1) return;
            connection.pause();
            setImmediate(() => {
              order.push("resume");
              connection.resume();
            });
          },
          ping: () => order.push("ping"),
        },
      }).then(async ({ port }) => {
        const socket = await rawClient(context, port, "permessage-deflate");
        socket.write(
          Buffer.concat([
            frame(0x82, "a", mask),
            frame(0xc2, deflate(Buffer.alloc(5_000_000)), mask),
            frame(0x89, "p", mask),
            frame(0x82, "bc", mask),
          ]),
        );
      });
    });
    await done;
    assert.deepEqual(order, ["message 1", "resume", "message 5000000", "ping", "message 2"]);
  });

  test("keeps a pool's jobs within its bound", () => {
    const pool = new ZlibPool(2);
    const started: number[] = [];
    for (const job of [0, 1, 2, 3]) pool.enter(() => started.push(job));
    assert.deepEqual(started, [0, 1]);
    pool.done();
    assert.deepEqual(started, [0, 1, 2]);
    pool.done();
    pool.done();
    pool.done();
    pool.enter(() => started.push(4));
    assert.deepEqual(started, [0, 1, 2, 3, 4]);
    assert.throws(() => new ZlibPool(0), RangeError);
  });

  test("gives back its place in the pool when connections end in the middle of the work", async (context) => {
    const pool = new ZlibPool(1);
    const compression = { threshold: 0, pool };
    const journal = new Journal();
    const server = await listen(context, { handlers: journal, compression });
    const text = textOf(300_000);
    const leaving = await Promise.all(
      Array.from({ length: 5 }, () => connectWebSocket(server.url, { compression })),
    );
    for (const connection of [...leaving, ...server.connections]) connection.send(text);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    for (const connection of leaving) connection.terminate();
    await journal.count(5);
    const received = new Journal();
    await connectWebSocket(server.url, { handlers: received, compression });
    server.connections.at(-1)?.send(text);
    const [entry] = await received.count(1);
    assert.equal(entry === `text ${text}`, true);
  });

  test("is not agreed to by default", async (context) => {
    const server = await listen(context, { handlers: echo });
    const client = new WebSocket(server.url);
    await once(client, "open");
    assert.equal(client.extensions, "");
    client.terminate();
  });
});

function deflate(data: Buffer): Buffer {
  return deflateRawSync(data, { finishFlush: 2 }).subarray(0, -4);
}
