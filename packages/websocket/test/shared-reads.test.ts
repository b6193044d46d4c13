import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { createReadCallback, shareReads } from "../src/shared-reads.ts";
import { collect, connection, deferred, pair } from "./support/socket-pair.ts";

const sizes = [0, 1, 100, 5000, 40_000, 70_000, 300_000, 10, 40_000, 3];

function payload(index: number): Buffer {
  return Buffer.alloc(sizes[index]!, `${index}`);
}

describe("reads into shared memory", () => {
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

  test("what is thrown at the end of a tick in which much was read harms no message behind it", async (context) => {
    const thrown: string[] = [];
    process.setUncaughtExceptionCaptureCallback(({ message }) => thrown.push(message));
    context.after(() => process.setUncaughtExceptionCaptureCallback(null));
    const { accepted, peer } = await pair(context);
    const count = 100;
    const received = collect(count);
    const message = (_: unknown, data: Buffer): void => {
      received.take(data);
      if (received.messages.length % 10 !== 3) return;
      process.nextTick(() => {
        throw new Error("at the end of the tick");
      });
    };
    const { promise: closed, resolve } = deferred<void>();
    connection(accepted, { message, close: () => resolve() }, "server");
    const client = connection(peer, {}, "client");
    for (let index = 0; index < count; index++) client.send(Buffer.alloc(40_000, index + 1));
    await Promise.race([received.all, closed]);
    assert.deepEqual([received.messages.length, thrown.length], [count, 10]);
    for (const [index, data] of received.messages.entries()) {
      assert.ok(data.equals(Buffer.alloc(40_000, index + 1)), `message ${index}`);
    }
  });

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
});

/** As on a version of Node, or a kind of socket, that has no such thing. */
function hideUserBuffer(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: object };
  Object.defineProperty(handle, "useUserBuffer", { value: undefined });
}
