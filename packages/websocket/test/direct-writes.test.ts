import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createConnection, createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { TLSSocket } from "node:tls";
import { handleOf, isSystemSocket, writeDirectly, type WriteListener } from "../src/direct-writes.ts";
import { type Closed, defaultLimits, PreparedMessage } from "../src/index.ts";
import { collect, connection, deferred, type Pair, pair } from "./support/socket-pair.ts";

/** From version 26 on Node writes in another way, for which there is no shortcut. */
const isKnownNode = Number.parseInt(process.versions.node, 10) < 26;

const ways = ["with the handle", "with Node"] as const;

/** A pair whose accepted side is written to in one of the ways. */
async function pairFor(context: TestContext, way: (typeof ways)[number]): Promise<Pair> {
  const made = await pair(context);
  if (way === "with Node") countWrites(made.accepted);
  return made;
}

/** Changes a socket, so that it is left to Node; answers how often Node was asked to write. */
function countWrites(socket: Socket): () => number {
  let count = 0;
  // oxlint-disable-next-line no-underscore-dangle -- Node's name
  socket._write = function counted(chunk, encoding, callback) {
    count++;
    // oxlint-disable-next-line no-underscore-dangle -- Node's name
    Socket.prototype._write.call(this, chunk, encoding, callback);
  };
  return () => count;
}

/** Remembers what it is told. */
class Told implements WriteListener {
  readonly errors: (Error | null | undefined)[] = [];
  readonly #next = deferred<void>();

  written(error?: Error | null): void {
    this.errors.push(error);
    this.#next.resolve();
  }

  /** Ends when it is told the first time. */
  get first(): Promise<void> {
    return this.#next.promise;
  }
}

const SOME = Buffer.alloc(1000, "some");
/** More than the system takes at once. */
const TOO_MUCH = Buffer.alloc(16 * 1024 * 1024, "much");

describe("what is written directly", () => {
  test(
    "is every socket of the system, on the versions of Node that are known",
    { skip: !isKnownNode },
    async (context) => {
      const { accepted, peer } = await pair(context);
      await once(peer, "ready");
      assert.notEqual(handleOf(accepted), undefined);
      assert.notEqual(handleOf(peer), undefined);
    },
  );

  test("is a pipe too", { skip: !isKnownNode || process.platform === "win32" }, async (context) => {
    const path = join(tmpdir(), `direct-writes-${process.pid}.sock`);
    const server = createServer().listen(path);
    context.after(() => server.close());
    await once(server, "listening");
    const accepting = once(server, "connection");
    const peer = createConnection(path);
    context.after(() => peer.destroy());
    const [accepted] = (await accepting) as [Socket];
    context.after(() => accepted.destroy());
    const handle = handleOf(accepted);
    assert.notEqual(handle, undefined);
    assert.equal(writeDirectly(accepted, handle, SOME, new Told()), false);
    const [chunk] = (await once(peer, "data")) as [Buffer];
    assert.ok(chunk.equals(SOME));
  });

  test("is no other stream", async (context) => {
    assert.equal(isSystemSocket(new PassThrough()), false);
    const { accepted } = await pair(context);
    assert.equal(isSystemSocket(accepted), true);
    assert.equal(isSystemSocket(new TLSSocket(accepted)), false);
  });

  test("is no socket without a handle, with a timeout, or that somebody has changed", async (context) => {
    assert.equal(handleOf(new Socket()), undefined);
    const timed = await pair(context);
    timed.accepted.setTimeout(60_000);
    assert.equal(handleOf(timed.accepted), undefined);
    const changed = await pair(context);
    countWrites(changed.accepted);
    assert.equal(handleOf(changed.accepted), undefined);
    const gone = await pair(context);
    gone.accepted.destroy();
    assert.equal(handleOf(gone.accepted), undefined);
  });
});

for (const way of ways) {
  describe(`a direct write ${way}`, () => {
    test("does not wait where the system takes it at once, and counts", async (context) => {
      const { accepted, peer } = await pairFor(context, way);
      const told = new Told();
      const before = accepted.bytesWritten;
      assert.equal(writeDirectly(accepted, handleOf(accepted), SOME, told), false);
      assert.equal(accepted.bytesWritten - before, SOME.length);
      const [chunk] = (await once(peer, "data")) as [Buffer];
      assert.ok(chunk.equals(SOME));
      assert.deepEqual(told.errors, []);
    });

    test("tells when the system has taken what had to wait", async (context) => {
      const { accepted, peer } = await pairFor(context, way);
      const told = new Told();
      const content = randomBytes(TOO_MUCH.length);
      assert.equal(writeDirectly(accepted, handleOf(accepted), content, told), true);
      assert.deepEqual(told.errors, []);
      accepted.end();
      const chunks: Buffer[] = [];
      for await (const chunk of peer) chunks.push(chunk as Buffer);
      await told.first;
      assert.equal(told.errors.length, 1);
      assert.equal(told.errors[0] ?? undefined, undefined);
      assert.ok(Buffer.concat(chunks).equals(content));
    });

    test("that waits when its socket is destroyed is told of once, and harms no other", async (context) => {
      const { accepted } = await pairFor(context, way);
      const other = await pairFor(context, way);
      const handle = handleOf(accepted);
      const told = new Told();
      assert.equal(writeDirectly(accepted, handle, TOO_MUCH, told), true);
      accepted.destroy();
      const late = new Told();
      assert.equal(writeDirectly(accepted, handle, SOME, late), false);
      await Promise.all([once(accepted, "close"), told.first]);
      assert.equal(writeDirectly(accepted, handle, SOME, late), false);
      assert.equal(writeDirectly(other.accepted, handleOf(other.accepted), SOME, late), false);
      const [chunk] = (await once(other.peer, "data")) as [Buffer];
      assert.ok(chunk.equals(SOME));
      assert.equal(told.errors.length, 1);
      assert.deepEqual(late.errors, []);
    });

    test("to a socket that has ended is dropped", async (context) => {
      const { accepted, peer } = await pairFor(context, way);
      const told = new Told();
      const handle = handleOf(accepted);
      accepted.end();
      assert.equal(writeDirectly(accepted, handle, SOME, told), false);
      peer.resume();
      await once(peer, "end");
      assert.equal(peer.bytesRead, 0);
      assert.deepEqual(told.errors, []);
    });

    test("tells of a connection that was reset as Node does", async (context) => {
      const { accepted, peer } = await pairFor(context, way);
      accepted.on("error", () => {});
      const told = new Told();
      const handle = handleOf(accepted);
      peer.resetAndDestroy();
      while (told.errors.length === 0 && !accepted.destroyed) {
        writeDirectly(accepted, handle, SOME, told);
        await new Promise(setImmediate);
      }
      for (const error of told.errors) {
        assert.ok(error instanceof Error);
        const { code, syscall } = error as NodeJS.ErrnoException;
        assert.match(`${syscall} ${code}`, /^write (ECONNRESET|EPIPE)$/);
        assert.equal(error.message, `write ${code}`);
      }
    });

    test("may be made by an async hook, inside another that has to wait", async (context) => {
      const waiting = await pairFor(context, way);
      const inner = await pairFor(context, way);
      const told = new Told();
      let waits: boolean | undefined;
      const hook = createHook({
        init(_id, type) {
          if (type !== "WRITEWRAP" || waits !== undefined) return;
          waits = true;
          waits = writeDirectly(inner.accepted, handleOf(inner.accepted), TOO_MUCH, told);
        },
      });
      hook.enable();
      const outer = new Told();
      try {
        assert.equal(writeDirectly(waiting.accepted, handleOf(waiting.accepted), TOO_MUCH, outer), true);
      } finally {
        hook.disable();
      }
      assert.equal(waits, true);
      waiting.peer.resume();
      inner.peer.resume();
      await Promise.all([told.first, outer.first]);
      for (const { errors } of [told, outer]) assert.deepEqual([errors.length, errors[0] ?? null], [1, null]);
    });
  });

  describe(`a connection that is written to ${way}`, () => {
    // A stream has 16 KiB or 64 KiB for much.
    for (const each of [8000, 30_000]) {
      test(`has what the system does not take of ${each} bytes at once leave later, in order, and tells of a drain`, async (context) => {
        const { accepted, peer } = await pairFor(context, way);
        let drains = 0;
        const server = connection(accepted, { drain: () => drains++ }, "server");
        let sent = 0;
        // Each in a tick of its own, so that each is one write.
        while (server.send(Buffer.alloc(each, sent))) {
          sent++;
          await new Promise(setImmediate);
        }
        sent++;
        const waiting = server.bufferedAmount;
        assert.ok(waiting >= defaultLimits.highWaterMark, `${waiting} bytes wait`);
        for (let index = 0; index < 10; index++) {
          server.send(Buffer.alloc(100, sent++));
          await new Promise(setImmediate);
        }
        assert.equal(drains, 0);
        const received = collect(sent);
        connection(peer, { message: (_, data) => received.take(data) }, "client");
        await received.all;
        assert.deepEqual(
          received.messages.map((message) => message[0]),
          Array.from({ length: sent }, (_, index) => index & 0xff),
        );
        assert.equal(server.bufferedAmount, 0);
        assert.ok(drains >= 1, "a drain came");
      });
    }

    test("gets its own of thousands of messages of all sizes, while others are slow or end", async (context) => {
      const count = 3000;
      const sizes = [0, 1, 125, 126, 1000, 5000, 20_000, 70_000];
      const stations = await Promise.all(
        Array.from({ length: 4 }, async (_, index) => {
          const { accepted, peer } = await pairFor(context, way);
          const server = connection(accepted, {}, "server");
          const received = collect(count);
          const client = connection(peer, { message: (_client, data) => received.take(data) }, "client");
          if (index % 2 === 1) client.pause();
          return { server, client, received };
        }),
      );
      const leaving = await pairFor(context, way);
      const lost = connection(leaving.accepted, {}, "server");
      const contentOf = (index: number, station: number): Buffer =>
        Buffer.alloc(sizes[(index * 7 + station) % sizes.length]!, `${index}/${station};`);
      for (let index = 0; index < count; index++) {
        for (const [number, { server }] of stations.entries()) {
          const content = contentOf(index, number);
          server.send(index % 3 === 0 ? new PreparedMessage(content) : content);
        }
        lost.send(SOME);
        if (index === count / 2) leaving.accepted.destroy();
        if (index % 5 === 0) await new Promise(setImmediate);
        const { client } = stations[1]!;
        if (index % 500 === 0) client.resume();
        else if (index % 500 === 100) client.pause();
      }
      for (const { client } of stations) client.resume();
      for (const [number, { received }] of stations.entries()) {
        await received.all;
        for (const [index, message] of received.messages.entries()) {
          assert.ok(message.equals(contentOf(index, number)), `message ${index} of station ${number}`);
        }
      }
    });

    test("closes behind what waits", async (context) => {
      const { accepted, peer } = await pairFor(context, way);
      const { promise: closed, resolve } = deferred<Closed>();
      const server = connection(accepted, { close: (_, how) => resolve(how) }, "server");
      let sent = 0;
      do {
        sent++;
        await new Promise(setImmediate);
      } while (server.send(SOME));
      server.close(1001, "bye");
      const received = collect(sent);
      const ends = deferred<Closed>();
      const handlers = {
        message: (_: unknown, data: Buffer) => received.take(data),
        close: (_: unknown, how: Closed) => ends.resolve(how),
      };
      connection(peer, handlers, "client");
      await received.all;
      assert.deepEqual(await ends.promise, { code: 1001, reason: "bye", clean: true });
      assert.deepEqual(await closed, { code: 1001, reason: "bye", clean: true });
    });

    test("tells its end once when it is terminated, or its peer resets it, while bytes wait", async (context) => {
      for (const how of ["terminate", "reset"] as const) {
        const { accepted, peer } = await pairFor(context, way);
        const ends: Closed[] = [];
        let drains = 0;
        const { promise: closed, resolve } = deferred<void>();
        const server = connection(
          accepted,
          {
            drain: () => drains++,
            close(_, closing) {
              ends.push(closing);
              resolve();
            },
          },
          "server",
        );
        while (server.send(SOME)) await new Promise(setImmediate);
        if (how === "terminate") server.terminate();
        else peer.resetAndDestroy();
        await closed;
        assert.equal(server.send(SOME), false);
        await new Promise(setImmediate);
        assert.deepEqual([ends.length, ends[0]?.code, drains], [1, 1006, 0]);
        assert.equal(ends[0]?.cause?.code, how === "reset" ? "connection_lost" : undefined);
        assert.equal(server.bufferedAmount, 0);
      }
    });
  });
}

describe("a connection on a socket of the system", () => {
  test(
    "is written to with the handle until its socket gets a timeout, then by Node",
    { skip: !isKnownNode },
    async (context) => {
      const { accepted, peer } = await pair(context);
      const server = connection(accepted, {}, "server");
      const writes = countWrites(accepted);
      const received = collect(2);
      connection(peer, { message: (_, data) => received.take(data) }, "client");
      server.send("before");
      await new Promise(setImmediate);
      assert.equal(writes(), 0);
      assert.equal(accepted.setTimeout(60_000), accepted);
      assert.equal(accepted.timeout, 60_000);
      server.send("after");
      await received.all;
      assert.equal(writes(), 1);
      assert.deepEqual(received.messages.map(String), ["before", "after"]);
    },
  );

  test("keeps the order behind what the stream still has to write", async (context) => {
    const { accepted, peer } = await pair(context);
    accepted.cork();
    accepted.write(Buffer.from([0x82, 1, 1]));
    const server = connection(accepted, {}, "server");
    server.send(Buffer.from([2]));
    await new Promise(setImmediate);
    assert.ok(server.bufferedAmount > 0);
    accepted.uncork();
    server.send(Buffer.from([3]));
    const received = collect(3);
    connection(peer, { message: (_, data) => received.take(data) }, "client");
    await received.all;
    assert.deepEqual(received.messages, [Buffer.from([1]), Buffer.from([2]), Buffer.from([3])]);
  });
});
