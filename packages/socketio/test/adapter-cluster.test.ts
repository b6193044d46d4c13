import assert from "node:assert/strict";
import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setupPrimary } from "@socket.io/cluster-adapter";
import { io as connect, type Socket as ClientSocket } from "socket.io-client";
import { eventually } from "./support/cluster-suite.ts";
import { eventsOf, next } from "./support/io-server.ts";

describe("servers in two processes with @socket.io/cluster-adapter", () => {
  const workers: Worker[] = [];
  const clients: ClientSocket[] = [];
  let ann: ClientSocket;
  let bob: ClientSocket;

  before(async () => {
    const exec = fileURLToPath(new URL("fixtures/cluster-worker.ts", import.meta.url));
    const execArgv = ["--import", "tsx", "--conditions=@sluice/source"];
    cluster.setupPrimary({ exec, execArgv, serialization: "advanced" });
    setupPrimary();
    for (let index = 0; index < 2; index++) {
      const worker = cluster.fork();
      workers.push(worker);
      const port = await new Promise<number>((resolve) => {
        worker.on(
          "message",
          (message: { port?: number }) => message.port !== undefined && resolve(message.port),
        );
      });
      const client = connect(`http://127.0.0.1:${port}`, { transports: ["websocket"], forceNew: true });
      clients.push(client);
      await next(client, "connect");
    }
    [ann, bob] = clients as [ClientSocket, ClientSocket];
    for (const client of clients) await eventually(async () => (await client.emitWithAck("count")) === 2);
  });

  after(async () => {
    for (const client of clients) client.disconnect();
    for (const worker of workers) {
      const exited = once(worker, "exit");
      worker.kill();
      await exited;
    }
  });

  test("send an event to the clients of both", async () => {
    const inboxes = clients.map(eventsOf);
    ann.emit("emit", [], [], "all", Buffer.from([1, 2, 3]));
    for (const inbox of inboxes) assert.deepEqual(await inbox.next(), ["all", Buffer.from([1, 2, 3])]);
  });

  test("send an event to rooms, and not to rooms that are excepted", async () => {
    await ann.emitWithAck("join", "tea");
    await bob.emitWithAck("join", "tea");
    await bob.emitWithAck("join", "coffee");
    const inboxes = clients.map(eventsOf);
    ann.emit("emit", ["tea"], ["coffee"], "tea only");
    ann.emit("emit", ["coffee"], [], "coffee");
    ann.emit("emit", [], [], "end");
    assert.deepEqual(await inboxes[0]?.next(), ["tea only"]);
    assert.deepEqual(await inboxes[0]?.next(), ["end"]);
    assert.deepEqual(await inboxes[1]?.next(), ["coffee"]);
    assert.deepEqual(await inboxes[1]?.next(), ["end"]);
  });

  test("have sockets of the other join rooms, and tell of them", async () => {
    ann.emit("have join", bob.id, "chosen");
    await eventually(async () => (await ann.emitWithAck("rooms", "chosen")).length === 1);
    const [[id, rooms]] = await ann.emitWithAck("rooms", "chosen");
    assert.equal(id, bob.id);
    assert.ok(rooms.includes("chosen"));
  });

  test("ask all clients, and each other", async () => {
    for (const [index, client] of clients.entries()) {
      client.on("ask", (answer: (text: string) => void) => answer(`answer ${index}`));
    }
    const answers: string[] = await ann.emitWithAck("ask all");
    assert.deepEqual(answers.toSorted(), ["answer 0", "answer 1"]);
    assert.deepEqual(await bob.emitWithAck("ask servers"), ["really!"]);
  });
});
