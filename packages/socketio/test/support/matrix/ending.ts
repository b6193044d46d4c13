import assert from "node:assert/strict";
import { type Behaviour, inbox, next } from "./cell.ts";

/** How connections end, and begin again. */
export const ending: readonly Behaviour[] = [
  {
    name: "leaves, and both sides know why",
    async run(cell) {
      const { client, server } = await cell.join();
      await server.join("room");
      const rooms: string[] = [];
      server.on("disconnecting", () => rooms.push(...server.rooms));
      const atServer = next(server, "disconnect");
      const atClient = next(client, "disconnect");
      client.disconnect();
      // With the last namespace the connection ends; what says so comes before or with it.
      assert.match(String((await atServer)[0]), /^(client namespace disconnect|transport close)$/);
      assert.equal((await atClient)[0], "io client disconnect");
      assert.deepEqual(rooms, [server.id, "room"]);
      assert.equal(server.rooms.size, 0);
      assert.equal(server.connected, false);
      assert.equal(cell.namespace.sockets.size, 0);
      assert.equal(cell.namespace.adapter.rooms.size, 0);
    },
  },
  {
    name: "leaves one namespace and stays in the others",
    async run(cell) {
      const { client, server } = await cell.connect();
      const other = client.io.socket(cell.namespace.name);
      if (!other.connected) await next(other, "connect");
      const left = next(cell.otherEnd(other, cell.namespace.name), "disconnect");
      other.disconnect();
      assert.deepEqual((await left)[0], "client namespace disconnect");
      const received = next(server, "still here");
      client.emit("still here");
      await received;
    },
  },
  {
    name: "is put out of a namespace, is not back by itself, and may come again",
    async run(cell) {
      const { client, server } = await cell.join();
      const atServer = next(server, "disconnect");
      const atClient = next(client, "disconnect");
      server.emit("last words");
      const heard = next(client, "last words");
      server.disconnect();
      assert.equal((await atServer)[0], "server namespace disconnect");
      assert.equal((await atClient)[0], "io server disconnect");
      await heard;
      assert.equal(client.connected, false);
      assert.equal(server.conn.readyState, "open");
      const connected = next(client, "connect");
      client.connect();
      await connected;
      assert.notEqual(cell.otherEnd(client, cell.namespace.name), server);
    },
  },
  {
    name: "is put out of all namespaces with its connection",
    async run(cell) {
      const { client, server } = await cell.connect();
      const other = client.io.socket(cell.namespace.name);
      if (!other.connected) await next(other, "connect");
      const ends = [
        next(server, "disconnect"),
        next(cell.otherEnd(other, cell.namespace.name), "disconnect"),
      ];
      const clients = [next(client, "disconnect"), next(other, "disconnect")];
      client.io.reconnection(false);
      server.disconnect(true);
      for (const end of await Promise.all(ends))
        assert.match(String(end[0]), /^(server namespace|forced server)/);
      await Promise.all(clients);
      assert.notEqual(server.conn.readyState, "open");
    },
  },
  {
    name: "comes back when its connection is lost, and tells then what it was told to",
    async run(cell) {
      const received = inbox(cell.namespace, "connection");
      const { client, server } = await cell.join();
      await received.next();
      const atServer = next(server, "disconnect");
      const atClient = next(client, "disconnect");
      client.io.engine.close();
      assert.equal((await atServer)[0], "transport close");
      assert.match(String((await atClient)[0]), /^(forced close|transport close)$/);
      client.emit("meanwhile", 1);
      client.emit("meanwhile", 2);
      const connected = next(client, "connect");
      const [again] = (await received.next()) as [typeof server];
      const events = inbox(again, "meanwhile");
      await connected;
      assert.deepEqual([await events.next(), await events.next()], [[1], [2]]);
      assert.notEqual(again.id, server.id);
      assert.equal(client.id, again.id);
    },
  },
  {
    name: "comes back when the server ends its connection",
    async run(cell) {
      const { client, server } = await cell.join();
      const atServer = next(server, "disconnect");
      const atClient = next(client, "disconnect");
      const connected = atClient.then(() => next(client, "connect"));
      server.conn.close();
      assert.equal((await atServer)[0], "forced close");
      assert.match(String((await atClient)[0]), /^transport (close|error)$/);
      await connected;
      assert.equal(cell.otherEnd(client, cell.namespace.name).connected, true);
    },
  },
  {
    name: "is not told, and does not tell, what comes behind the end",
    async run(cell) {
      const { client, server } = await cell.join();
      const events = [inbox(client, "late"), inbox(server, "late")];
      const ends = [next(client, "disconnect"), next(server, "disconnect")];
      server.disconnect();
      server.emit("late");
      cell.namespace.emit("late");
      await Promise.all(ends);
      const connected = next(client, "connect");
      client.connect();
      await connected;
      const marked = next(client, "mark");
      cell.otherEnd(client, cell.namespace.name).emit("mark");
      await marked;
      assert.deepEqual(
        events.map(({ size }) => size),
        [0, 0],
      );
    },
  },
];
