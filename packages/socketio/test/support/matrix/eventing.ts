import assert from "node:assert/strict";
import { type Behaviour, bytes, inbox, next } from "./cell.ts";

const argumentLists: readonly (readonly unknown[])[] = [
  [],
  [0],
  [-1, 2 ** 31, 2 ** 53 - 1, -(2 ** 40), 1.5, -0.1, 5e-324],
  ["", "text", "a b"],
  [true, false, null],
  [[], [[]], [1, [2, [3, []]]]],
  [{}, { a: { b: { c: [{ d: null }] } } }, { "": "", "a.b": 1, length: 3 }],
  ['\u2028\u2029\0\u001E\u001F\u007F"\\/\n\r', "€ é ß", "\u{1D11E}\u{1F600}", "\u202Eright to left"],
  [{ _placeholder: true, num: 0 }, "[object Object]", '42["a"]', "1-", "/chat,"],
  Array.from({ length: 100 }, (_, index) => index),
];

const large = "0123456789 \u{1F600}".repeat(20_000);

/** What tells its number, some of it by bytes. */
function numbered(index: number): unknown {
  return index % 7 === 6 ? Buffer.from(`${index}`) : index;
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Number(bytes(value).toString());
}

/** Events without and with bytes. */
export const eventing: readonly Behaviour[] = [
  {
    name: "tells the server events with arguments of all kinds",
    async run(cell) {
      const { client, server } = await cell.connect();
      const received = inbox(server, "event");
      for (const list of argumentLists) client.emit("event", ...list);
      for (const list of argumentLists) assert.deepEqual(await received.next(), list);
    },
  },
  {
    name: "is told events with arguments of all kinds",
    async run(cell) {
      const { client, server } = await cell.connect();
      const received = inbox(client, "event");
      for (const list of argumentLists) server.emit("event", ...list);
      for (const list of argumentLists) assert.deepEqual(await received.next(), list);
    },
  },
  {
    name: "tells and is told events of any name",
    async run(cell) {
      const { client, server } = await cell.connect();
      for (const name of ["", " ", "a,b", "é \u{1F600}", "[1]", "constructor", "__proto__", "toString"]) {
        const received = next(server, name);
        client.emit(name, 1);
        assert.deepEqual(await received, [1]);
        const answered = next(client, name);
        server.emit(name, 2);
        assert.deepEqual(await answered, [2]);
      }
    },
  },
  {
    name: "sends messages both ways",
    async run(cell) {
      const { client, server } = await cell.connect();
      const received = next(server, "message");
      client.send("one", { two: 2 });
      assert.deepEqual(await received, ["one", { two: 2 }]);
      const answered = next(client, "message");
      server.send("three", [4]);
      assert.deepEqual(await answered, ["three", [4]]);
    },
  },
  {
    name: "has bytes in events both ways, alone, empty, several and nested",
    async run(cell) {
      const { client, server } = await cell.connect();
      const atServer = inbox(server, "bytes");
      const atClient = inbox(client, "bytes");
      const data = Buffer.from([0, 1, 2, 127, 128, 255]);
      const kinds: (Uint8Array | ArrayBuffer)[] = [data, new Uint8Array(data).buffer, Buffer.alloc(0)];
      // 2.x does not know typed arrays.
      if (cell.column.client.revision === 4) kinds.push(new Uint8Array(data));
      for (const kind of kinds) client.emit("bytes", kind);
      for (const kind of kinds) server.emit("bytes", kind);
      for (const kind of kinds) {
        for (const received of [await atServer.next(), await atClient.next()]) {
          assert.equal(received.length, 1);
          assert.deepEqual(bytes(received[0]), bytes(kind));
        }
      }
      const nested = { name: "image", parts: [{ data }, { data: kinds[1] }], none: null };
      client.emit("bytes", "before", nested, data, "behind");
      server.emit("bytes", "before", nested, data, "behind");
      for (const [before, object, last, behind] of [await atServer.next(), await atClient.next()]) {
        assert.equal(before, "before");
        const { name, parts, none } = object as { name: string; parts: { data: unknown }[]; none: null };
        assert.equal(name, "image");
        assert.deepEqual(
          parts.map((part) => bytes(part.data)),
          [data, data],
        );
        assert.equal(none, null);
        assert.deepEqual(bytes(last), data);
        assert.equal(behind, "behind");
      }
    },
  },
  {
    name: "has dates and what else has toJSON as JSON has them",
    except: ({ parser }) => parser === "msgpack",
    async run(cell) {
      const { client, server } = await cell.connect();
      const given = [new Date(0), { toJSON: () => ({ a: 1 }) }, undefined, Number.NaN, { none: undefined }];
      const expected = ["1970-01-01T00:00:00.000Z", { a: 1 }, null, null, {}];
      const atServer = next(server, "json");
      client.emit("json", ...given);
      assert.deepEqual(await atServer, expected);
      const atClient = next(client, "json");
      server.emit("json", ...given);
      assert.deepEqual(await atClient, expected);
    },
  },
  {
    name: "has large texts and bytes both ways",
    async run(cell) {
      const { client, server } = await cell.connect();
      server.on("large", (...data: unknown[]) => server.emit("large", ...data));
      const texts = next(client, "large");
      client.emit("large", large);
      assert.ok((await texts)[0] === large);
      const data = Buffer.alloc(600_000, "bytes");
      const both = next(client, "large");
      client.emit("large", data);
      assert.ok(bytes((await both)[0]).equals(data));
    },
  },
  {
    name: "is told and tells everything in order, all through its upgrade",
    async run(cell) {
      const count = 300;
      const { client, server } = await cell.connect();
      const atServer = inbox(server, "number");
      const atClient = inbox(client, "number");
      for (let index = 0; index < count; index++) {
        client.emit("number", numbered(index));
        server.emit("number", numbered(index));
        if (index % 5 === 0) await new Promise(setImmediate);
      }
      for (let index = 0; index < count; index++) {
        assert.equal(numberOf((await atServer.next())[0]), index);
        assert.equal(numberOf((await atClient.next())[0]), index);
      }
    },
  },
  {
    name: "keeps what it tells until it is connected, in order",
    async run(cell) {
      const received = new Promise<unknown[]>((resolve) => {
        const all: unknown[] = [];
        cell.namespace.on("connection", (socket) =>
          socket.on("early", (...args: unknown[]) => {
            all.push(args);
            if (all.length === 3) resolve(all);
          }),
        );
      });
      const client = cell.open(cell.namespace.name);
      client.emit("early", 1);
      client.emit("early", Buffer.from("two"), "three");
      client.emit("early", 4);
      const [first, [data, text] = [], last] = (await received) as unknown[][];
      assert.deepEqual([first, bytes(data).toString(), text, last], [[1], "two", "three", [4]]);
    },
  },
  {
    name: "does not tell later what was volatile and could not be told",
    since: "3.0",
    async run(cell) {
      const received = new Promise<unknown[]>((resolve) => {
        cell.namespace.on("connection", (socket) =>
          socket.on("event", (...args: unknown[]) => resolve(args)),
        );
      });
      const client = cell.open(cell.namespace.name);
      client.volatile.emit("event", "volatile");
      client.emit("event", "kept");
      assert.deepEqual(await received, ["kept"]);
    },
  },
  {
    name: "is told what is volatile when it can be told",
    async run(cell) {
      const { client, server } = await cell.connect();
      const received = inbox(client, "volatile");
      for (let index = 0; received.size === 0; index++) {
        server.volatile.emit("volatile", index, Buffer.from([index % 256]));
        await new Promise(setImmediate);
      }
      const [index, data] = await received.next();
      assert.deepEqual(bytes(data), Buffer.from([Number(index) % 256]));
    },
  },
  {
    name: "has compressed and uncompressed events both ways",
    profile: "compressing",
    async run(cell) {
      const { client, server } = await cell.connect();
      const text = "again and again ".repeat(500);
      for (const whether of [true, false]) {
        const atClient = next(client, "event");
        server.compress(whether).emit("event", text, Buffer.from(text));
        const [received, data] = await atClient;
        assert.equal(received, text);
        assert.equal(bytes(data).toString(), text);
        const atServer = next(server, "event");
        client.compress(whether).emit("event", text);
        assert.deepEqual(await atServer, [text]);
        const toAll = next(client, "all");
        cell.io.to(server.id).compress(whether).emit("all", text);
        assert.deepEqual(await toAll, [text]);
      }
    },
  },
  {
    name: "is heard by those that listen to all events",
    async run(cell) {
      const { client, server } = await cell.connect();
      const heard: unknown[] = [];
      const removed = (): void => void heard.push("removed");
      server.onAny((...args: unknown[]) => void heard.push(["any", ...args]));
      server.onAny(removed);
      server.prependAny((...args: unknown[]) => void heard.push(["first", ...args]));
      server.offAny(removed);
      server.onAnyOutgoing((...args: unknown[]) => void heard.push(["outgoing", ...args]));
      const received = next(server, "event");
      client.emit("event", 1);
      await received;
      server.emit("answer", 2);
      cell.io.to(server.id).emit("answer", 3);
      assert.deepEqual(heard, [
        ["first", "event", 1],
        ["any", "event", 1],
        ["outgoing", "answer", 2],
        ["outgoing", "answer", 3],
      ]);
    },
  },
  {
    name: "hears all events",
    since: "3.0",
    async run(cell) {
      const { client, server } = await cell.connect();
      const heard: unknown[] = [];
      client.onAny((...args: unknown[]) => void heard.push(args));
      server.emit("one", 1);
      server.emit("two", 2, 3);
      const last = next(client, "last");
      server.emit("last");
      await last;
      assert.deepEqual(heard, [["one", 1], ["two", 2, 3], ["last"]]);
    },
  },
  {
    name: "passes the middlewares of a socket with each event",
    async run(cell) {
      const { client, server } = await cell.connect();
      server.use(([name, ...args], proceed) => {
        if (name === "bad") proceed(new Error(`not ${String(args[0])}`));
        else setImmediate(proceed);
      });
      const good = inbox(server, "good");
      const bad = inbox(server, "bad");
      const error = next(server, "error");
      client.emit("bad", 1);
      assert.match(String((await error)[0]), /not 1/);
      client.emit("good", 2);
      assert.deepEqual(await good.next(), [2]);
      assert.equal(bad.size, 0);
    },
  },
];
