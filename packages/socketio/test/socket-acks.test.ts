import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { type ServerOptions, SocketIoError } from "../src/index.ts";
import { type Ends, IoServer, next } from "./support/io-server.ts";

type Answer = (...args: unknown[]) => void;

async function start(
  context: TestContext,
  options: Partial<ServerOptions> = {},
): Promise<Ends & { io: IoServer }> {
  const io = await IoServer.start(options);
  context.after(() => io.close());
  return { ...(await io.connect()), io };
}

/** Whether an answer was not waited for, because of the limit. */
function isRefused(error: unknown): boolean {
  const isOver = error instanceof SocketIoError && error.code === "limit_exceeded";
  return isOver && /limits\.pendingAcks/.test(error.message);
}

describe("an answer to a socket", () => {
  test("is what the client answers, by a callback or as a promise of its first argument", async (context) => {
    const { client, server } = await start(context);
    client.on("ask", (text: string, answer: Answer) => answer(text.length, Buffer.from(text)));
    const called = new Promise((resolve) =>
      server.emit("ask", "four", (...args: unknown[]) => resolve(args)),
    );
    assert.deepEqual(await called, [4, Buffer.from("four")]);
    assert.equal(await server.emitWithAck("ask", "four"), 4);
    assert.equal(server.acks.size, 0);
  });

  test("comes with the socket as `this`, and behind null with a timeout", async (context) => {
    const { client, server } = await start(context);
    client.on("ask", (answer: Answer) => answer("a", "b"));
    const called = new Promise((resolve) => {
      server.timeout(1000).emit("ask", function (this: unknown, ...args: unknown[]) {
        resolve([this === server, ...args]);
      });
    });
    assert.deepEqual(await called, [true, null, "a", "b"]);
    assert.equal(await server.timeout(1000).emitWithAck("ask"), "a");
  });

  test("fails after the timeout, is counted, and is ignored when it comes then", async (context) => {
    const clock = new FakeClock();
    const { client, server, io } = await start(context, { clock });
    let answer: Answer | undefined;
    client.on("ask", (given: Answer) => {
      answer = given;
    });
    const told: unknown[] = [];
    server.timeout(50).emit("ask", (...args: unknown[]) => told.push(args));
    await next(client, "ask");
    const promised = assert.rejects(server.timeout(50).emitWithAck("ask"), {
      message: "operation has timed out",
    });
    clock.advance(50);
    await promised;
    assert.deepEqual(told, [[new Error("operation has timed out")]]);
    answer?.("too late");
    client.emit("last");
    await next(server, "last");
    assert.deepEqual([told.length, server.acks.size, io.io.counts.acksTimedOut], [1, 0, 2]);
  });

  test("fails when the client leaves, and at once when it has left; a callback without an error is dropped", async (context) => {
    const { client, server } = await start(context);
    let calls = 0;
    server.emit("ask", () => calls++);
    const message = "socket has been disconnected";
    const promised = assert.rejects(server.emitWithAck("ask"), { message });
    const called = new Promise<Error>((resolve) => server.timeout(60_000).emit("ask", resolve));
    client.disconnect();
    await promised;
    assert.equal((await called).message, message);
    assert.equal(server.acks.size, 0);
    await assert.rejects(server.emitWithAck("ask"), { message });
    server.emit("ask", () => calls++);
    await new Promise(setImmediate);
    assert.equal(calls, 0);
  });

  test("over the limit is not waited for, and its event not sent", async (context) => {
    const { client, server } = await start(context, { limits: { pendingAcks: 2 } });
    const asked: unknown[] = [];
    client.on("ask", (number: number) => asked.push(number));
    server.emit("ask", 1, () => {});
    void server.emitWithAck("ask", 2).catch(() => {});
    await assert.rejects(server.emitWithAck("ask", 3), isRefused);
    assert.ok(isRefused(await new Promise((resolve) => server.timeout(10).emit("ask", 4, resolve))));
    assert.ok(isRefused(await new Promise((resolve) => server.emit("ask", 5, resolve))));
    server.emit("last");
    await next(client, "last");
    assert.deepEqual(asked, [1, 2]);
  });

  test("is not waited for where the event cannot be encoded", async (context) => {
    const { server } = await start(context);
    const cycle: unknown[] = [];
    cycle.push(cycle);
    assert.throws(() => server.timeout(1000).emit("ask", cycle, () => {}), TypeError);
    await assert.rejects(server.emitWithAck("ask", cycle), TypeError);
    assert.equal(server.acks.size, 0);
  });

  test("is no answer where nobody asked, or in a namespace that did not", async (context) => {
    const { client, server, io } = await start(context);
    io.io.of("/other");
    const other = io.share(client, "/other");
    await next(other, "connect");
    let answers = 0;
    client.on("ask", () => {});
    server.emit("ask", () => answers++);
    await next(client, "ask");
    // As the client's own code would, of acknowledgements that were asked elsewhere or never.
    for (const packet of ['3/other,0["forged"]', '399["forged"]', '3100000000000000["forged"]']) {
      client.io.engine.write(packet);
    }
    client.emit("last");
    await next(server, "last");
    assert.deepEqual([answers, server.connected], [0, true]);
  });
});

describe("an answer of a socket", () => {
  test("is sent once, whenever it is given", async (context) => {
    const { client, server } = await start(context);
    server.on("ask", (text: string, answer: Answer) => {
      setImmediate(() => {
        answer(text.length, Buffer.from(text));
        answer("again");
      });
    });
    const called = new Promise((resolve) =>
      client.emit("ask", "four", (...args: unknown[]) => resolve(args)),
    );
    assert.deepEqual(await called, [4, Buffer.from("four")]);
    assert.equal(await client.emitWithAck("ask", "four"), 4);
  });

  test("may be another where the first cannot be encoded", async (context) => {
    const { client, server } = await start(context);
    const cycle: Record<string, unknown> = {};
    cycle.cycle = cycle;
    server.on("ask", (answer: Answer) => {
      assert.throws(() => answer(cycle), /circular/);
      answer("cannot be told");
    });
    assert.equal(await client.timeout(1000).emitWithAck("ask"), "cannot be told");
  });

  test("is sent to nobody once the client has left", async (context) => {
    const { client, server } = await start(context);
    const asked = next(server, "ask");
    client.emit("ask", () => {});
    const [answer] = (await asked) as [Answer];
    server.disconnect();
    answer("too late");
    assert.equal(server.connected, false);
  });
});
