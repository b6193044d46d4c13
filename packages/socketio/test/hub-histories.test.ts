import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket as ClientSocket } from "socket.io-client";
import { HubServer } from "./support/hub-server.ts";
import { next } from "./support/io-server.ts";

/** Numbers from 0 up to a bound, the same ones each time (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Party {
  readonly client: ClientSocket;
  readonly id: string;
  readonly had: unknown[];
  readonly owed: unknown[];
}

for (const seed of [1, 2, 3, 4]) {
  test(`Whatever is lost when, clients of a hub have all of it, in order and once (${seed})`, async () => {
    const random = randomFrom(seed);
    const hubServer = await HubServer.start({}, { connectionStateRecovery: {} });
    const { hub, server } = hubServer;
    const { io } = server;
    const parties: Party[] = [];
    for (let index = 0; index < 3; index++) {
      const { client, server: socket } = await server.connect();
      const had: unknown[] = [];
      client.on("event", (what: unknown) => had.push(what));
      await socket.join("room");
      parties.push({ client, id: socket.id, had, owed: [] });
    }
    for (let what = 0; what < 150; what++) {
      const party = parties[random(3)]!;
      const isIn = random(8);
      if (isIn < 2) {
        io.to("room").emit("event", what);
        for (const { owed } of parties) owed.push(what);
      } else if (isIn === 2) {
        io.emit("event", what);
        for (const { owed } of parties) owed.push(what);
      } else if (isIn === 3) {
        io.to(party.id).emit("event", what);
        party.owed.push(what);
      } else if (isIn === 4) {
        await hub.publish("room", { data: String(what), isJson: true, type: "event" }, { except: party.id });
        for (const each of parties) if (each !== party) each.owed.push(what);
      } else if (isIn === 5) {
        const socket = io.sockets.sockets.get(party.id);
        socket?.emit("event", what);
        if (socket !== undefined) party.owed.push(what);
      } else if (isIn === 6) {
        // A stock client whose engine is closed while it opens stays where it is.
        if (party.client.connected) party.client.io.engine.close();
      } else for (let turns = random(20); turns > 0; turns--) await new Promise(setImmediate);
    }
    for (const { client } of parties) if (!client.connected) await next(client, "connect");
    const ends = parties.map(({ client }) => next(client, "end"));
    io.emit("end");
    await Promise.all(ends);
    for (const { client, id, had, owed } of parties) {
      assert.equal(client.id, id);
      assert.deepEqual(had, owed);
    }
    assert.ok(hub.counts.resumed > 3);
    await hubServer.close();
  });
}
