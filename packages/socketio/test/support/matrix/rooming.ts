import assert from "node:assert/strict";
import type { Inbox } from "../inbox.ts";
import { type Behaviour, bytes, type Cell, inbox, next, type Pair } from "./cell.ts";

interface Member extends Pair {
  readonly events: Inbox<unknown[]>;
}

/** Three clients of the cell's namespace: one in rooms a and b, one in b, one in none. */
async function members(cell: Cell): Promise<[Member, Member, Member]> {
  const pairs = await Promise.all([cell.join(), cell.join(), cell.join()]);
  const [first, second, third] = pairs.map((pair) => ({ ...pair, events: inbox(pair.client, "event") }));
  assert.ok(first && second && third);
  await first.server.join(["a", "b"]);
  await second.server.join("b");
  return [first, second, third];
}

/** What each was told until now, by numbers. */
async function told(cell: Cell, all: readonly Member[]): Promise<number[][]> {
  const marks = all.map(({ client }) => next(client, "mark"));
  cell.namespace.emit("mark");
  await Promise.all(marks);
  return await Promise.all(
    all.map(({ events }) =>
      Promise.all(Array.from({ length: events.size }, async () => Number((await events.next())[0]))),
    ),
  );
}

/** Events to many. */
export const rooming: readonly Behaviour[] = [
  {
    name: "is in the room of its id, and in those that it is put in",
    async run(cell) {
      const { server } = await cell.join();
      assert.deepEqual([...server.rooms], [server.id]);
      await server.join(["a", "b"]);
      await server.join("a");
      assert.deepEqual([...server.rooms], [server.id, "a", "b"]);
      await server.leave("a");
      assert.deepEqual([...server.rooms], [server.id, "b"]);
    },
  },
  {
    name: "is told what is for its rooms, once, whoever tells it",
    async run(cell) {
      const all = await members(cell);
      const [first, second, third] = all;
      cell.namespace.emit("event", 1);
      cell.namespace.to("a").emit("event", 2);
      cell.namespace.in("b").emit("event", 3);
      cell.namespace.to(["a", "b"]).emit("event", 4);
      cell.namespace.to("a").to("b").to(third.server.id).emit("event", 5);
      cell.namespace.except("a").emit("event", 6);
      cell.namespace.to("b").except("a").emit("event", 7);
      cell.namespace.except(["a", third.server.id]).emit("event", 8);
      cell.namespace.to("nobody").emit("event", 9);
      first.server.emit("event", 10);
      first.server.broadcast.emit("event", 11);
      first.server.to("b").emit("event", 12);
      second.server.to("a").to("b").emit("event", 13);
      third.server.except("a").emit("event", 14);
      third.server.in(first.server.id).emit("event", 15);
      cell.namespace.local.emit("event", 16);
      await first.server.leave("a");
      cell.namespace.to("a").emit("event", 17);
      assert.deepEqual(await told(cell, all), [
        [1, 2, 3, 4, 5, 10, 13, 15, 16],
        [1, 3, 4, 5, 6, 7, 8, 11, 12, 14, 16],
        [1, 5, 6, 11, 16],
      ]);
    },
  },
  {
    name: "is told bytes that are for its rooms",
    async run(cell) {
      const all = await members(cell);
      const data = Buffer.from([1, 2, 3]);
      cell.namespace.to("b").emit("event", data, { nested: [data] }, "text");
      for (const { events } of all.slice(0, 2)) {
        const [first, object, text] = await events.next();
        const { nested } = object as { nested: unknown[] };
        assert.deepEqual([bytes(first), bytes(nested[0]), text], [data, data, "text"]);
      }
      assert.equal(all[2].events.size, 0);
    },
  },
  {
    name: "is told what is volatile and for all, when it can be told",
    async run(cell) {
      const { client } = await cell.join();
      const received = inbox(client, "event");
      while (received.size === 0) {
        cell.namespace.volatile.emit("event", "now");
        await new Promise(setImmediate);
      }
      assert.deepEqual(await received.next(), ["now"]);
    },
  },
  {
    name: "is moved between rooms by others",
    async run(cell) {
      const all = await members(cell);
      cell.namespace.in("b").socketsJoin(["c", "d"]);
      cell.namespace.to("c").emit("event", 1);
      cell.namespace.in("a").socketsLeave("c");
      cell.namespace.to("c").emit("event", 2);
      cell.namespace.socketsLeave("b");
      cell.namespace.to("b").emit("event", 3);
      cell.namespace.to("d").emit("event", 4);
      assert.deepEqual(await told(cell, all), [[1, 4], [1, 2, 4], []]);
    },
  },
  {
    name: "is found by others, with its data and rooms",
    async run(cell) {
      const [first, second] = await members(cell);
      first.server.data.name = "first";
      second.server.data.name = "second";
      const found = await cell.namespace.in("b").fetchSockets();
      assert.deepEqual(
        found.map((socket) => [socket.id, socket.data.name, [...socket.rooms]]),
        [
          [first.server.id, "first", [first.server.id, "a", "b"]],
          [second.server.id, "second", [second.server.id, "b"]],
        ],
      );
      assert.equal((await cell.namespace.fetchSockets()).length, 3);
      const [one] = found;
      one?.emit("event", 1);
      assert.deepEqual(await first.events.next(), [1]);
    },
  },
  {
    name: "is disconnected by others",
    async run(cell) {
      const [first, second, third] = await members(cell);
      const reasons = [next(first.client, "disconnect"), next(second.client, "disconnect")];
      cell.namespace.in("b").disconnectSockets();
      for (const reason of await Promise.all(reasons)) assert.equal(reason[0], "io server disconnect");
      assert.deepEqual([...cell.namespace.sockets.keys()], [third.server.id]);
    },
  },
];
