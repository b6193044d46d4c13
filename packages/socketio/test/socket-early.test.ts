import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { IoServer, next } from "./support/io-server.ts";
import { Inbox } from "./support/inbox.ts";

describe("an event before its listener", () => {
  test("waits for it, in order, with the function for its answer", async (context) => {
    const io = await IoServer.start();
    context.after(() => io.close());
    const { client, server } = await io.connect();
    const answers = [1, 2].map((each) => client.emitWithAck("early", each));
    client.emit("other", 3);
    // Has a listener, so all others have come when it is called.
    client.emit("now");
    await next(server, "now");
    const heard = new Inbox<unknown[]>();
    server.on("other", (...args) => heard.add(["other", ...args]));
    server.on("early", (number: number, answer: (doubled: number) => void) => {
      heard.add(["early", number]);
      answer(number * 2);
    });
    assert.equal(heard.size, 0);
    assert.deepEqual(await Promise.all(answers), [2, 4]);
    assert.deepEqual(
      [await heard.next(), await heard.next(), await heard.next()],
      [
        ["early", 1],
        ["early", 2],
        ["other", 3],
      ],
    );
    client.emit("early", 4, () => {});
    assert.deepEqual(await heard.next(), ["early", 4]);
  });

  test("does not overtake the one before it that waits for its turn", async (context) => {
    const io = await IoServer.start();
    context.after(() => io.close());
    const { client, server } = await io.connect();
    const heard = new Inbox<unknown>();
    server.on("listen", () => server.on("early", (number) => heard.add(number)));
    client.emit("early", 1);
    client.emit("listen");
    client.emit("early", 2);
    assert.deepEqual([await heard.next(), await heard.next()], [1, 2]);
  });

  for (const listen of [
    "once",
    "addListener",
    "prependListener",
    "prependOnceListener",
    "onAny",
    "prependAny",
  ] as const) {
    test(`waits for a listener by ${listen}()`, async (context) => {
      const io = await IoServer.start();
      context.after(() => io.close());
      const { client, server } = await io.connect();
      client.emit("early", 1);
      client.emit("now");
      await next(server, "now");
      const emitter: EventEmitter = server;
      const heard = new Promise<unknown[]>((resolve) => {
        const listener = (...args: unknown[]): void => resolve(args);
        if (listen === "onAny" || listen === "prependAny") server[listen](listener);
        else emitter[listen]("early", listener);
      });
      assert.equal((await heard).at(-1), 1);
    });
  }

  test("passes the middlewares that are there when it is let go", async (context) => {
    const io = await IoServer.start();
    context.after(() => io.close());
    const { client, server } = await io.connect();
    client.emit("early", "bad");
    client.emit("early", "good");
    client.emit("now");
    await next(server, "now");
    const heard = next(server, "early");
    server.use(([, word], pass) => pass(word === "bad" ? new Error("refused") : undefined));
    assert.deepEqual(await heard, ["good"]);
  });

  test("is dropped and counted over the bounds, and after its time", async (context) => {
    const clock = new FakeClock();
    const limits = { earlyEvents: 3, earlyEventBytes: 300, earlyEventMs: 1000 };
    const io = await IoServer.start({ clock, limits });
    context.after(() => io.close());
    const { dropped } = io.io.counts;
    const { client, server } = await io.connect();
    client.emit("early", Buffer.alloc(150));
    client.emit("early", "x".repeat(100));
    client.emit("early", 3);
    client.emit("early", 4);
    client.emit("early", 5);
    client.emit("now");
    await next(server, "now");
    assert.equal(dropped.early, 2);
    clock.advance(999);
    assert.equal(dropped.early, 2);
    clock.advance(1);
    assert.equal(dropped.early, 5);
    server.on("early", () => assert.fail("it has waited too long"));
    server.removeAllListeners("early");
    client.emit("early", 6);
    client.emit("now");
    await next(server, "now");
    server.on("early", () => assert.fail("it came too late to wait"));
    client.emit("last");
    await next(server, "last");
  });

  test("that could not be encoded is dropped, not the server", async (context) => {
    const io = await IoServer.start();
    context.after(() => io.close());
    const { client, server } = await io.connect();
    client.io.engine.write(`42["early",${"[".repeat(100_000)}${"]".repeat(100_000)}]`.slice(1));
    client.emit("now");
    await next(server, "now");
    assert.equal(io.io.counts.dropped.early, 1);
  });

  test("is dropped with its socket", async (context) => {
    const io = await IoServer.start();
    context.after(() => io.close());
    const { client, server } = await io.connect();
    client.emit("early", 1);
    client.emit("now");
    await next(server, "now");
    server.disconnect();
    server.on("early", () => assert.fail("the client has left"));
    await new Promise(setImmediate);
    assert.equal(io.io.counts.dropped.early, 1);
  });

  test("is no event of `error` that nobody wants", async (context) => {
    const io = await IoServer.start({ limits: { earlyEvents: 0 } });
    context.after(() => io.close());
    const { client, server } = await io.connect();
    client.emit("error", "harmless");
    server.use((_event, pass) => pass());
    client.emit("error", "harmless");
    client.emit("now");
    await next(server, "now");
    assert.equal(server.connected, true);
  });
});
