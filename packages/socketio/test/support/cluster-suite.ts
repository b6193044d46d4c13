import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { AdapterConstructor, ServerOptions } from "../../src/index.ts";
import { type Ends, eventsOf, eventsUntil, IoServer, next } from "./io-server.ts";

/** What joins the servers of a cluster. */
export interface Cluster {
  /** What makes the adapters of one more server. */
  adapter(): AdapterConstructor | Promise<AdapterConstructor>;
  /** Whether so many servers hear each other. */
  isJoined(servers: readonly IoServer[]): Promise<boolean>;
  /** Ends the broker. */
  close(): Promise<void>;
}

/** How a cluster is tested. */
export interface ClusterSuiteOptions {
  /** Why it cannot be tested here. */
  readonly skip?: string | false;
  readonly options?: Partial<ServerOptions>;
  readonly start: () => Promise<Cluster>;
}

/** Two servers with a client in each of two places, and what becomes of what one of them does. */
export function clusterSuite(name: string, { skip = false, options = {}, start }: ClusterSuiteOptions): void {
  describe(`two servers with ${name}`, { skip, timeout: 60_000 }, () => {
    let cluster: Cluster;
    let one: IoServer;
    let two: IoServer;
    /** On one, on two, and on two again. */
    let ann: Ends;
    let bob: Ends;
    let cyd: Ends;

    before(async () => {
      cluster = await start();
      one = await IoServer.start({ ...options, adapter: await cluster.adapter() });
      two = await IoServer.start({ ...options, adapter: await cluster.adapter() });
      await eventually(() => cluster.isJoined([one, two]));
      [ann, bob, cyd] = await Promise.all([one.connect(), two.connect(), two.connect()]);
      await hearAll([one, two], [ann, bob, cyd]);
    });

    after(async () => {
      await Promise.all([one.close(), two.close()]);
      await cluster.close();
    });

    test("send an event to the clients of both, once", async () => {
      const inboxes = [ann, bob, cyd].map(({ client }) => eventsOf(client));
      one.io.emit("all", "text", 1, { deep: [Buffer.from([1, 2, 3])] });
      one.io.emit("end");
      for (const inbox of inboxes) {
        const events = await eventsUntil(inbox, "end");
        assert.deepEqual(
          events.map((event) => event.slice(0, 4)),
          [["all", "text", 1, { deep: [Buffer.from([1, 2, 3])] }]],
        );
      }
    });

    test("send an event to who is in a room of either, and in none that is excepted", async () => {
      await Promise.all([
        ann.server.join("wanted"),
        bob.server.join(["wanted", "also"]),
        cyd.server.join("also"),
      ]);
      await bob.server.join("unwanted");
      const inboxes = [ann, bob, cyd].map(({ client }) => eventsOf(client));
      one.io.to("wanted").to("also").emit("union");
      one.io.to(["wanted", "also"]).except("unwanted").emit("without");
      ann.server.to("wanted").emit("from ann");
      one.io.local.emit("local");
      one.io.emit("end");
      const received = await Promise.all(inboxes.map((inbox) => eventsUntil(inbox, "end")));
      // What is for this server alone need not go by the broker.
      const names = received.map((events) => events.map(([event]) => String(event)).toSorted());
      assert.deepEqual(names, [
        ["local", "union", "without"],
        ["from ann", "union"],
        ["union", "without"],
      ]);
    });

    test("tell of the sockets of both, which may be anywhere", async () => {
      bob.server.data = { name: "bob" };
      await bob.server.join("rows");
      const sockets = await one.io.fetchSockets();
      assert.deepEqual(
        sockets.map(({ id }) => id).toSorted(),
        [ann, bob, cyd].map(({ server }) => server.id).toSorted(),
      );
      const [far] = await one.io.in("rows").fetchSockets();
      assert.ok(far);
      assert.equal(far.id, bob.server.id);
      assert.deepEqual(far.data, { name: "bob" });
      assert.ok(far.rooms.has("rows"));
      assert.equal(far.handshake.headers.host, `127.0.0.1:${two.port}`);
      const heard = next(bob.client, "to you");
      far.emit("to you", 1);
      assert.equal((await heard)[0], 1);
      bob.client.once("ask one", (answer: (text: string) => void) => answer("bob"));
      assert.equal(await far.timeout(2_000).emitWithAck("ask one"), "bob");
      const joined = next(two.io.of("/").adapter, "join-room");
      far.join("from afar");
      assert.deepEqual(await joined, ["from afar", bob.server.id]);
      const left = next(two.io.of("/").adapter, "leave-room");
      far.leave("from afar");
      assert.deepEqual(await left, ["from afar", bob.server.id]);
    });

    test("ask all clients of both for an answer", async () => {
      for (const [index, { client }] of [ann, bob, cyd].entries()) {
        client.once("ask", (question: string, answer: (text: string) => void) =>
          answer(`${question} ${index}`),
        );
      }
      const answers: string[] = await one.io.timeout(2_000).emitWithAck("ask", "who");
      assert.deepEqual(answers.toSorted(), ["who 0", "who 1", "who 2"]);
    });

    test("have sockets of the other join and leave", async () => {
      const { adapter } = two.io.of("/");
      const joined = next(adapter, "join-room");
      one.io.in(cyd.server.id).socketsJoin("chosen");
      assert.deepEqual(await joined, ["chosen", cyd.server.id]);
      const left = next(adapter, "leave-room");
      one.io.in("chosen").socketsLeave("chosen");
      assert.deepEqual(await left, ["chosen", cyd.server.id]);
    });

    test("tell each other events of servers, and answer them", async () => {
      const heard = next(two.io, "news");
      one.io.serverSideEmit("news", "a", { b: 1 });
      assert.deepEqual(await heard, ["a", { b: 1 }]);
      two.io.once("question", (text: string, answer: (text: string) => void) => answer(`${text}!`));
      assert.deepEqual(await one.io.serverSideEmitWithAck("question", "really"), ["really!"]);
    });

    test("serve namespaces apart", async () => {
      one.io.of("/own");
      two.io.of("/own");
      await eventually(async () => (await one.io.of("/own").adapter.serverCount()) === 2);
      await eventually(() => cluster.isJoined([one, two]));
      const [here, there] = await Promise.all([one.connect("/own"), two.connect("/own")]);
      const outside = eventsOf(bob.client);
      const inboxes = [here, there].map(({ client }) => eventsOf(client));
      two.io.of("/own").emit("inside");
      two.io.of("/own").emit("end");
      two.io.emit("end");
      for (const inbox of inboxes) assert.equal((await eventsUntil(inbox, "end"))[0]?.[0], "inside");
      assert.deepEqual(await eventsUntil(outside, "end"), []);
    });

    test("disconnect sockets of the other", async () => {
      const gone = next(cyd.client, "disconnect");
      one.io.in(cyd.server.id).disconnectSockets();
      assert.equal((await gone)[0], "io server disconnect");
    });
  });
}

/** Resolves when clients hear of all servers, which may lose what is sent before they have heard each other once. */
export async function hearAll(servers: readonly IoServer[], clients: readonly Ends[]): Promise<void> {
  const heard = new Set<string>();
  const isOver = new Set<string>();
  for (const { client } of clients) {
    client.on("probe", (from: number) => heard.add(`${from} ${client.id}`));
    client.on("end of probes", (from: number) => isOver.add(`${from} ${client.id}`));
  }
  const tell = (event: string): void => {
    for (const [index, { io }] of servers.entries()) io.emit(event, index);
  };
  const all = servers.length * clients.length;
  await eventually(async () => {
    tell("probe");
    await Promise.all(servers.map(({ io }) => io.of("/").adapter.serverCount()));
    return heard.size === all;
  });
  tell("end of probes");
  await eventually(() => Promise.resolve(isOver.size === all));
}

/** Resolves when a condition that has no event holds; asked at each turn of the event loop, for 10 s. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`this did not come true: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
