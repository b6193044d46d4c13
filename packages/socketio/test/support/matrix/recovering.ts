import assert from "node:assert/strict";
import { type Behaviour, bytes, inbox, next } from "./cell.ts";

/** What makes up for a lost connection. */
export const recovering: readonly Behaviour[] = [
  {
    name: "is the same as before when its connection was lost, and is told what it missed",
    since: "4.6",
    profile: "recovering",
    async run(cell) {
      const { client, server } = await cell.join();
      assert.equal(client.recovered, false);
      assert.equal(server.recovered, false);
      const events = inbox(client, "event");
      await server.join("room");
      server.data.name = "who";
      server.emit("event", 1);
      await events.next();
      const { id } = client;
      const lost = next(server, "disconnect");
      const connections = inbox(cell.namespace, "connection");
      client.io.reconnection(false);
      client.io.engine.close();
      await lost;
      cell.namespace.to("room").emit("event", 2);
      cell.namespace.emit("event", 3, Buffer.from("bytes"));
      cell.namespace.to("elsewhere").emit("event", 4);
      cell.namespace.to(id).emit("event", 5);
      client.io.reconnection(true);
      client.connect();
      const [again] = (await connections.next()) as [typeof server];
      assert.equal(again.recovered, true);
      assert.equal(again.id, id);
      assert.deepEqual(again.rooms, new Set([id, "room"]));
      assert.deepEqual(again.data, { name: "who" });
      assert.equal((await events.next())[0], 2);
      const [third, data] = await events.next();
      assert.deepEqual([third, bytes(data).toString()], [3, "bytes"]);
      assert.equal((await events.next())[0], 5);
      assert.equal(client.recovered, true);
      assert.equal(client.id, id);
      again.emit("event", 6);
      assert.equal((await events.next())[0], 6);
    },
  },
  {
    name: "is somebody new when it had left",
    since: "4.6",
    profile: "recovering",
    async run(cell) {
      const { client, server } = await cell.join();
      const events = inbox(client, "event");
      server.emit("event", 1);
      await events.next();
      const { id } = client;
      const left = next(server, "disconnect");
      client.disconnect();
      await left;
      const connected = next(client, "connect");
      client.connect();
      await connected;
      assert.equal(client.recovered, false);
      assert.notEqual(client.id, id);
    },
  },
  {
    name: "tells again what was not answered in time, in order",
    since: "4.6",
    async run(cell) {
      const { client, server } = await cell.join({ retries: 3, ackTimeout: 1000 });
      const received: unknown[] = [];
      const all = new Promise<void>((resolve) => {
        server.on("event", (index: number, answer: () => void) => {
          received.push(index);
          // The first of all is not answered, once.
          if (received.length > 1) answer();
          if (index === 3) resolve();
        });
      });
      for (const index of [1, 2, 3]) client.emit("event", index);
      await all;
      assert.deepEqual(received, [1, 1, 2, 3]);
    },
  },
  {
    name: "tells when it comes back what was not answered before",
    since: "4.6",
    async run(cell) {
      const { client, server } = await cell.join({ retries: 3, ackTimeout: 5000 });
      const connections = inbox(cell.namespace, "connection");
      const first = next(server, "event");
      const answered = new Promise<unknown[]>((resolve) => {
        client.emit("event", "kept", (...args: unknown[]) => resolve(args));
      });
      await first;
      server.conn.close();
      const [again] = (await connections.next()) as [typeof server];
      const [text, answer] = await next(again, "event");
      assert.equal(text, "kept");
      (answer as (text: string) => void)("here");
      assert.deepEqual(await answered, [null, "here"]);
    },
  },
];
