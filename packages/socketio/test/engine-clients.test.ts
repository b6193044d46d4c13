import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { startEngine } from "./support/engine.ts";
import { Inbox } from "./support/inbox.ts";
import { type StockClient, stockClients } from "./support/stock-client.ts";

const ways = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  "polling, then websocket": { transports: ["polling", "websocket"] },
  "polling in base64": { transports: ["polling"], forceBase64: true },
} as const;

/** A message that says which one it is, a text or bytes. */
function numbered(index: number): string | Buffer {
  return index % 5 === 4 ? Buffer.from(`${index}`) : `${index} €`;
}

function numberOf(data: unknown): number {
  if (typeof data === "string") return Number.parseInt(data, 10);
  assert.ok(data instanceof Uint8Array || data instanceof ArrayBuffer, String(data));
  return Number(Buffer.from(data as Uint8Array).toString());
}

for (const [version, Client] of Object.entries(stockClients)) {
  describe(`engine.io-client ${version}`, () => {
    for (const [way, options] of Object.entries(ways)) {
      test(`has all messages in order both ways, by ${way}`, async (context) => {
        const count = 500;
        const received: number[] = [];
        const all = new Inbox<void>();
        const { port, opened } = await startEngine(
          context,
          { pingInterval: 50, pingTimeout: 5000 },
          {
            message: (session, data) => {
              const number = numberOf(data);
              received.push(number);
              session.send(numbered(number));
            },
          },
        );
        const client = new Client(`ws://127.0.0.1:${port}`, { ...options });
        context.after(() => client.close());
        const echoed: number[] = [];
        const upgraded = new Inbox<void>();
        client.on("upgrade", () => upgraded.add());
        client.on("message", (data: never) => {
          echoed.push(numberOf(data));
          if (echoed.length === count) all.add();
        });
        await once(client as unknown as NodeJS.EventEmitter, "open");
        const session = await opened.next();
        assert.equal(session.protocol, version === "3.5.6" ? 3 : 4);
        for (let index = 0; index < count; index++) {
          client.send(numbered(index));
          // The upgrade goes on meanwhile.
          if (index % 10 === 0) await new Promise(setImmediate);
        }
        await all.next();
        const expected = Array.from({ length: count }, (_, index) => index);
        assert.deepEqual(received, expected);
        assert.deepEqual(echoed, expected);
        if (way === "polling, then websocket") {
          if (!session.upgraded) await upgraded.next();
          assert.equal(session.transport.name, "websocket");
        }
      });
    }

    test("misses nothing of what the server sends all through the upgrade", async (context) => {
      const { port, opened } = await startEngine(context);
      for (let round = 0; round < 10; round++) {
        const client = new Client(`ws://127.0.0.1:${port}`, { transports: ["polling", "websocket"] });
        const received: number[] = [];
        client.on("message", (data: never) => void received.push(numberOf(data)));
        const upgraded = once(client as unknown as NodeJS.EventEmitter, "upgrade");
        const session = await opened.next();
        let count = 0;
        while (!session.upgraded) {
          session.send(numbered(count++));
          await new Promise(setImmediate);
        }
        await upgraded;
        for (let more = 0; more < 50; more++) session.send(numbered(count++));
        while (received.length < count) await once(client as unknown as NodeJS.EventEmitter, "message");
        assert.deepEqual(
          received,
          Array.from({ length: count }, (_, index) => index),
        );
        client.close();
      }
    });

    test("upgrades without waiting for a timer", async (context) => {
      const { port, opened } = await startEngine(context);
      const times: number[] = [];
      for (let round = 0; round < 20; round++) {
        const client = new Client(`ws://127.0.0.1:${port}`, { transports: ["polling", "websocket"] });
        await once(client as unknown as NodeJS.EventEmitter, "open");
        const from = performance.now();
        await once(client as unknown as NodeJS.EventEmitter, "upgrade");
        times.push(performance.now() - from);
        client.close();
        await opened.next();
      }
      const median = times.toSorted((one, other) => one - other)[10] ?? 0;
      assert.ok(median < 90, `the median is ${median} ms`);
    });

    for (const [way, options] of Object.entries({ polling: ways.polling, websocket: ways.websocket })) {
      test(`knows when it was closed, and closes, by ${way}`, async (context) => {
        const { port, opened, ended } = await startEngine(context);
        const first: StockClient = new Client(`ws://127.0.0.1:${port}`, { ...options });
        const closed = once(first as unknown as NodeJS.EventEmitter, "close");
        (await opened.next()).close();
        await closed;
        assert.equal((await ended.next()).reason, "forced close");
        const second: StockClient = new Client(`ws://127.0.0.1:${port}`, { ...options });
        await once(second as unknown as NodeJS.EventEmitter, "open");
        await opened.next();
        second.close();
        assert.equal((await ended.next()).reason, "transport close");
      });

      test(`is answered its pings, or answers them, by ${way}`, async (context) => {
        const { port, opened, ended } = await startEngine(context, { pingInterval: 20, pingTimeout: 5000 });
        const client = new Client(`ws://127.0.0.1:${port}`, { ...options });
        context.after(() => client.close());
        const session = await opened.next();
        for (let beats = 0; beats < 5; beats++) {
          await new Promise<void>((resolve) => {
            session.once("heartbeat", resolve);
          });
        }
        assert.equal(ended.size, 0);
      });
    }
  });
}
