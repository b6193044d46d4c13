import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClient } from "@redis/client";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import type { AdapterConstructor } from "../src/index.ts";
import { type Cluster, clusterSuite, eventually, hearAll } from "./support/cluster-suite.ts";
import { eventsOf, IoServer, next } from "./support/io-server.ts";
import { isMissingRedis, Redis } from "./support/redis.ts";

type RedisClient = ReturnType<typeof newClient>;

// oxlint-disable-next-line typescript/explicit-function-return-type -- Its type has no shorter name.
function newClient(path: string) {
  return createClient({ socket: { path, tls: false } });
}

class RedisCluster implements Cluster {
  readonly #redis: Redis;
  readonly #create: (publisher: RedisClient, subscriber: RedisClient) => AdapterConstructor;
  protected readonly clients: RedisClient[] = [];

  constructor(redis: Redis, create: (publisher: RedisClient, subscriber: RedisClient) => AdapterConstructor) {
    this.#redis = redis;
    this.#create = create;
  }

  async adapter(): Promise<AdapterConstructor> {
    const publisher = newClient(this.#redis.path);
    const subscriber = publisher.duplicate();
    await Promise.all([publisher.connect(), subscriber.connect()]);
    this.clients.push(publisher, subscriber);
    return this.#create(publisher, subscriber);
  }

  async isJoined(servers: readonly IoServer[]): Promise<boolean> {
    const counts = await Promise.all(servers.map(({ io }) => io.of("/").adapter.serverCount()));
    return counts.every((count) => count === servers.length);
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.#redis.close();
  }
}

/** Streams are heard from the moment on in which they are read. */
class RedisStreamsCluster extends RedisCluster {
  override async isJoined(servers: readonly IoServer[]): Promise<boolean> {
    const list = (await this.clients[0]?.sendCommand<string>(["CLIENT", "LIST"])) ?? "";
    const readers = list.split("cmd=xread").length - 1;
    return readers >= servers.length && (await super.isJoined(servers));
  }
}

clusterSuite("@socket.io/redis-adapter", {
  skip: isMissingRedis,
  start: async () => new RedisCluster(await Redis.start(), (one, two) => createAdapter(one, two)),
});

clusterSuite("@socket.io/redis-adapter, sharded", {
  skip: isMissingRedis,
  start: async () => new RedisCluster(await Redis.start(), (one, two) => createShardedAdapter(one, two)),
});

clusterSuite("@socket.io/redis-streams-adapter", {
  skip: isMissingRedis,
  start: async () =>
    new RedisStreamsCluster(await Redis.start(), (client) =>
      createStreamsAdapter(client, { blockTimeInMs: 50 }),
    ),
});

describe("a client of two servers with @socket.io/redis-streams-adapter", { skip: isMissingRedis }, () => {
  test("is given back by one what it had on the other, with what it missed", async (context) => {
    const cluster = new RedisStreamsCluster(await Redis.start(), (client) =>
      createStreamsAdapter(client, { blockTimeInMs: 50 }),
    );
    const servers: IoServer[] = [];
    context.after(async () => {
      await Promise.all(servers.map((server) => server.close()));
      await cluster.close();
    });
    for (let index = 0; index < 2; index++) {
      const options = { adapter: await cluster.adapter(), connectionStateRecovery: {} };
      servers.push(await IoServer.start(options));
    }
    const [one, two] = servers;
    assert.ok(one && two);
    await eventually(() => cluster.isJoined(servers));
    const ends = await one.connect();
    const { client, server } = ends;
    await hearAll(servers, [ends]);
    const events = eventsOf(client);
    server.data = { name: "ann" };
    await server.join("room");
    two.io.to("room").emit("first");
    assert.equal((await events.next())[0], "first");

    Object.assign(client.io, { uri: `http://127.0.0.1:${two.port}` });
    const lost = next(server, "disconnect");
    client.io.engine.close();
    await lost;
    one.io.to("room").emit("second");
    two.io.emit("third", "text");
    await next(client, "connect");
    assert.equal(client.recovered, true);
    assert.equal(client.id, server.id);
    const again = two.otherEnd(client);
    assert.deepEqual(again.data, { name: "ann" });
    assert.deepEqual(again.rooms, new Set([server.id, "room"]));
    assert.equal((await events.next())[0], "second");
    assert.deepEqual((await events.next()).slice(0, 2), ["third", "text"]);
  });
});
