import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { deflateRawSync } from "node:zlib";
import { type FrameParserOptions, FrameParser } from "../src/frame-parser.ts";
import { connectWebSocket } from "../src/index.ts";
import { defaultLimits } from "../src/limits.ts";
import { frame } from "./support/frames.ts";
import { listen } from "./support/server.ts";
import { rawClient } from "./support/raw-client.ts";
import { collect, connection, deferred, pair } from "./support/socket-pair.ts";

const sizes = [0, 1, 100, 127, 1023, 5000, 16_384, 40_000, 70_000, 300_000, 10, 40_000, 3];

function payload(index: number): Buffer {
  return Buffer.alloc(sizes[index]!, `${index}`);
}

/** A message that is not copied where it is sent on a server. */
function echoed(index: number): Buffer {
  return Buffer.alloc(33_000 + 100 * index, `${index};`);
}

/** The payloads of whole messages that a parser finds in one chunk, and where each of them lies. */
function parse(chunk: Buffer, options: Partial<FrameParserOptions>): { buffer: unknown; text: string }[] {
  const found: { buffer: unknown; text: string }[] = [];
  const parser = new FrameParser(
    {
      message: (_opcode, _compressed, data) => found.push({ buffer: data.buffer, text: data.toString() }),
      start: () => assert.fail("a message came in pieces"),
      piece: () => {},
      end: () => {},
      control: () => {},
      failed: (error) => assert.ifError(error),
    },
    { masked: false, compression: true, limits: defaultLimits, ...options },
  );
  parser.push(chunk);
  return found;
}

describe("a parser that lends", () => {
  test("gives a whole message where it was read, and one that is to be inflated in memory of its own", () => {
    const deflated = deflateRawSync(randomBytes(9_000));
    const chunk = Buffer.concat([frame(0x82, "a"), frame(0xc2, deflated), frame(0x81, "c")]);
    const found = parse(chunk, { lends: true });
    assert.deepEqual(
      found.map(({ buffer }) => buffer === chunk.buffer),
      [true, false, true],
    );
    assert.deepEqual([found[0]?.text, found[2]?.text], ["a", "c"]);
  });

  test("is asked for that: any other gives memory of the message's own", () => {
    const chunk = Buffer.from(Buffer.concat([frame(0x82, "a".repeat(9_000))]));
    const [found] = parse(chunk, {});
    assert.notEqual(found?.buffer, chunk.buffer);
  });
});

describe("a handler that takes views", () => {
  test("gets each message as it was sent, whatever its size, and however it was cut", async (context) => {
    const { accepted, peer } = await pair(context);
    const received = collect(2 * sizes.length);
    const view = (_: unknown, data: Buffer): void => received.take(Buffer.from(data));
    connection(accepted, { view, message: () => assert.fail("`view` takes its place") }, "server");
    const client = connection(peer, {}, "client");
    for (const index of sizes.keys()) client.send(payload(index));
    for (const index of sizes.keys()) {
      const writer = client.startMessage(true);
      writer.write(payload(index).subarray(0, 2));
      writer.end(payload(index).subarray(2));
    }
    await received.all;
    for (const [index, message] of received.messages.entries()) {
      assert.ok(message.equals(payload(index % sizes.length)), `message ${index}`);
    }
  });

  for (const compression of [false, true]) {
    test(`may send each on, though its peer reads slowly${compression ? ", and it is compressed" : ""}`, async (context) => {
      const server = await listen(context, {
        handlers: { view: (from, data) => void from.send(data) },
        limits: { maxBufferedBytes: 64 * 1024 * 1024 },
        compression,
      });
      const count = 300;
      const received = collect(count);
      const client = await connectWebSocket(server.url, {
        handlers: { message: (_, data) => received.take(data) },
        limits: { maxBufferedBytes: 64 * 1024 * 1024 },
        // What is compressed is lent to nobody.
        compression: compression && { threshold: 1_000_000 },
      });
      client.pause();
      for (let index = 0; index < count; index++) client.send(echoed(index));
      // As long as it takes until the echo has to wait, which is less where it is compressed.
      for (let turns = 0; turns < 50; turns++) await setImmediate();
      client.resume();
      await received.all;
      for (const [index, message] of received.messages.entries()) {
        assert.ok(message.equals(echoed(index)), `message ${index}`);
      }
      client.close();
    });
  }

  test("gets texts that are UTF-8 only, and compressed messages", async (context) => {
    const seen: string[] = [];
    const { promise, resolve } = deferred<number>();
    const server = await listen(context, {
      handlers: {
        view: (_, data, isBinary) => void seen.push(`${isBinary} ${data.toString()}`),
        close: (_, { code }) => resolve(code),
      },
      compression: true,
    });
    const socket = await rawClient(context, server.port, "permessage-deflate");
    const deflated = deflateRawSync(Buffer.from("long ".repeat(100)), { finishFlush: 2 }).subarray(0, -4);
    socket.write(frame(0xc1, deflated, Buffer.alloc(4, 7)));
    socket.write(frame(0x81, "é", Buffer.alloc(4, 7)));
    socket.write(frame(0x81, Buffer.from([0xe9]), Buffer.alloc(4, 7)));
    assert.equal(await promise, 1007);
    assert.deepEqual(seen, [`false ${"long ".repeat(100)}`, "false é"]);
  });
});

test("what is sent to many within a tick comes as it was sent, of whatever size it is", async (context) => {
  const messages = [9_000, 10, 20_000, 8_000, 40_000, 30_000, 100].map((size, index) =>
    Buffer.alloc(size, index + 1),
  );
  const ends = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const { accepted, peer } = await pair(context);
      const received = collect(messages.length);
      connection(peer, { message: (_, data) => received.take(data) }, "client");
      return { server: connection(accepted, {}, "server"), received };
    }),
  );
  for (const message of messages) for (const { server } of ends) server.send(message);
  for (const { received } of ends) {
    await received.all;
    assert.deepEqual(received.messages, messages);
  }
});
