import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import type { Packet } from "../src/index.ts";
import { IoServer, next } from "./support/io-server.ts";
import { serverMsgpack, stockClients } from "./support/stock-clients.ts";
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

  test("is given to it before the next of its name, of which none is dropped then", async (context) => {
    const io = await IoServer.start({ limits: { earlyEvents: 2 } });
    context.after(() => io.close());
    const { client, server } = await io.connect();
    const heard: unknown[] = [];
    server.on("listen", () => server.on("early", (number) => heard.push(number)));
    for (const number of [1, 2]) client.emit("early", number);
    client.emit("listen");
    for (const number of [3, 4, 5]) client.emit("early", number);
    client.emit("last");
    await next(server, "last");
    assert.deepEqual(heard, [1, 2, 3, 4, 5]);
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

  test("whose bytes cannot be said is dropped, and ends nothing", async (context) => {
    class Encoder extends serverMsgpack.Encoder {
      override encode(packet: Packet): readonly (string | Uint8Array)[] {
        if (Array.isArray(packet.data)) throw new RangeError("too deep");
        return super.encode(packet);
      }
    }
    const io = await IoServer.start({ parser: { ...serverMsgpack, Encoder } });
    context.after(() => io.close());
    const { client, server } = await io.connect("/", { parser: stockClients.at(-1)?.msgpack });
    client.emit("early", 1);
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
