import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import {
  createSchema,
  reflectSchema,
  ServiceBackend,
  watchSchema,
  type Backend,
  type Schema,
  type SchemaWatch,
  type SchemaWatchOptions,
} from "@sluice/rpc";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { addressesOf, allUsable, balance, startServer, startServers } from "./servers.ts";

const one: Schema = createSchema();
const other: Schema = { ...one, fingerprint: "other" };

/** A watch whose loads a test answers. */
class Watched {
  readonly clock = new FakeClock();
  readonly backend: Backend = new ServiceBackend(new Map());
  /** Who was asked. */
  readonly asked: Backend[] = [];
  readonly events: string[] = [];
  readonly watch: SchemaWatch;
  connected: ((server: Backend) => void) | undefined;
  readonly #answers: ((answer: Schema | Error) => void)[] = [];

  constructor(options: Partial<SchemaWatchOptions> = {}) {
    this.watch = watchSchema({
      backend: this.backend,
      load: (backend) => {
        this.asked.push(backend);
        return new Promise((resolve, reject) => {
          this.#answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
        });
      },
      onConnected: (listener) => {
        this.connected = listener;
        return () => (this.connected = undefined);
      },
      onSchema: (schema, before) => this.events.push(`${nameOf(before)} → ${nameOf(schema)}`),
      onFailure: (error) => this.events.push(String(error)),
      clock: this.clock,
      random: () => 0.5,
      ...options,
    });
  }

  async answer(answer: Schema | Error): Promise<void> {
    this.#answers.shift()?.(answer);
    await turn();
  }
}

function nameOf(schema: Schema | undefined): string {
  return schema === undefined ? "none" : schema === one ? "one" : "other";
}

describe("a schema that is followed", () => {
  test("is told when it is another, and not when it is the same", async () => {
    const watched = new Watched({ schema: one });
    watched.watch.check();
    await watched.answer({ ...one });
    assert.deepEqual(watched.events, []);
    assert.equal(watched.watch.schema, one);
    watched.watch.check();
    await watched.answer(other);
    assert.deepEqual(watched.events, ["one → other"]);
    assert.equal(watched.watch.schema, other);
  });

  test("is told for the first time when none was known", async () => {
    const watched = new Watched();
    watched.watch.check();
    await watched.answer(one);
    assert.deepEqual(watched.events, ["none → one"]);
  });

  test("is asked for from time to time, with jitter", async () => {
    const watched = new Watched({ schema: one, intervalMs: 1_000 });
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(watched.clock.pending, [1_000]);
      watched.clock.advance(1_000);
      assert.deepEqual(watched.clock.pending, []);
      await watched.answer(one);
    }
    assert.deepEqual(watched.asked, [watched.backend, watched.backend, watched.backend]);
    const early = new Watched({ intervalMs: 1_000, random: () => 0 });
    assert.deepEqual(early.clock.pending, [800]);
  });

  test("is not asked for from time to time with 0", () => {
    assert.deepEqual(new Watched({ intervalMs: 0 }).clock.pending, []);
  });

  test("is asked of the last server that connected, once for all that do so together", async () => {
    const watched = new Watched({ schema: one });
    const [first, second] = [new ServiceBackend(new Map()), new ServiceBackend(new Map())];
    watched.connected?.(first);
    watched.clock.advance(249);
    watched.connected?.(second);
    watched.clock.advance(249);
    assert.deepEqual(watched.asked, []);
    watched.clock.advance(1);
    assert.deepEqual(watched.asked, [second]);
    await watched.answer(other);
    assert.deepEqual(watched.events, ["one → other"]);
  });

  test("is asked for again when a server connects while it is asked for", async () => {
    const watched = new Watched({ schema: one });
    watched.watch.check();
    const server = new ServiceBackend(new Map());
    watched.connected?.(server);
    watched.clock.advance(250);
    assert.equal(watched.asked.length, 1);
    await watched.answer(one);
    watched.clock.advance(250);
    assert.deepEqual(watched.asked, [watched.backend, server]);
  });

  test("stays when it cannot be had; that is told, and it is asked for with growing pauses", async () => {
    const watched = new Watched({ schema: one });
    watched.watch.check();
    const pauses: number[] = [];
    for (let i = 0; i < 3; i++) {
      await watched.answer(new Error("no reflection"));
      const [pause = Number.NaN] = watched.clock.pending;
      pauses.push(pause);
      watched.clock.advance(pause);
    }
    assert.deepEqual(pauses, [1_000, 1_600, 2_560]);
    assert.deepEqual(watched.events, Array(3).fill("Error: no reflection"));
    assert.equal(watched.watch.schema, one);
    await watched.answer(other);
    assert.deepEqual(watched.clock.pending, [300_000]);
    assert.equal(watched.watch.schema, other);
  });

  test("is not asked for and not told after it was closed", async () => {
    const watched = new Watched({ schema: one });
    watched.watch.check();
    watched.watch.close();
    assert.equal(watched.connected, undefined);
    await watched.answer(other);
    watched.watch.check();
    assert.deepEqual([watched.events, watched.asked.length, watched.clock.pending], [[], 1, []]);
  });
});

describe("a backend that is deployed anew", () => {
  test("tells its new schema once all of its traffic goes on", async (context) => {
    const [first, second] = await startServers(context, 2, { services: ["sluice.test.v1.Echo"] });
    assert.ok(first && second);
    const backend = balance(context, addressesOf([first, second]));
    await allUsable(backend, 2);
    const schema = await reflectSchema(backend);
    const told: string[] = [];
    const changed = new Promise<Schema>((resolve, reject) => {
      const watch = watchSchema({
        backend,
        schema,
        load: (server) => reflectSchema(server),
        onConnected: (listener) => backend.onConnected(listener),
        onSchema: (next, before) => {
          told.push(before?.services.map(({ name }) => name).join() ?? "");
          resolve(next);
        },
        onFailure: reject,
        settleMs: 1,
      });
      context.after(() => watch.close());
    });
    await first.kill();
    await startServer(context, { port: first.port });
    const next = await changed;
    assert.deepEqual(
      next.services.map(({ name }) => name),
      ["Echo", "Library"],
    );
    assert.deepEqual(told, ["Echo"]);
  });
});
