import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Adapter, defaultServerLimits, type Namespace, Server, type ServerOptions } from "../src/index.ts";

/** As the official packages give one. */
function createAdapter(nsp: Namespace): Adapter {
  return new Adapter(nsp);
}

describe("the options of a server", () => {
  test("have socket.io's defaults", () => {
    const { opts } = new Server();
    assert.equal(opts.path, "/socket.io");
    assert.equal(opts.serveClient, true);
    assert.equal(opts.connectTimeout, 45_000);
    assert.equal(opts.cleanupEmptyChildNamespaces, false);
    assert.equal(opts.connectionStateRecovery, undefined);
    assert.equal(opts.pingInterval, 25_000);
    assert.equal(opts.maxHttpBufferSize, 1_000_000);
    assert.deepEqual(opts.limits, defaultServerLimits);
  });

  test("have the defaults of recovery where that is asked for", () => {
    assert.deepEqual(new Server({ connectionStateRecovery: {} }).opts.connectionStateRecovery, {
      maxDisconnectionDuration: 120_000,
      skipMiddlewares: true,
      maxPackets: 10_000,
      maxBytes: 16_777_216,
    });
  });

  test("have no recovery where that is said", () => {
    for (const connectionStateRecovery of [false, null as never] as const) {
      assert.equal(new Server({ connectionStateRecovery }).opts.connectionStateRecovery, undefined);
    }
  });

  const impossible: readonly [options: Partial<ServerOptions>, said: RegExp][] = [
    [{ connectTimeout: 0 }, /^connectTimeout is 0: it must be above 0/],
    [{ connectTimeout: 2 ** 31 }, /^connectTimeout is 2147483648/],
    [{ pingInterval: -1 }, /^pingInterval is -1/],
    [{ transports: ["webtransport"] as never }, /^transports has "webtransport"/],
    [{ limits: { connections: 0 } }, /^limits.connections is 0: it must be a number above 0/],
    [{ limits: { eventsPerSecond: Number.NaN } }, /^limits.eventsPerSecond is NaN/],
    [{ limits: { earlyEvents: -1 } }, /^limits.earlyEvents is -1: it must be a number at least 0/],
    [{ limits: { rooms: 1 } as never }, /^limits.rooms: there is no such limit/],
    [{ connectionStateRecovery: { maxBytes: -1 } }, /^connectionStateRecovery.maxBytes is -1/],
    [
      { connectionStateRecovery: { maxDisconnectionDuration: Infinity } },
      /^connectionStateRecovery.maxDisconnectionDuration is Infinity/,
    ],
  ];
  for (const [options, said] of impossible) {
    test(`that cannot be meant are named: ${said.source}`, () => {
      assert.throws(() => new Server(options), { name: "RangeError", message: said });
    });
  }

  test("have an adapter for each namespace, of a class or a function; one that does not begin is warned of", async () => {
    const warning = once(process, "warning");
    class Failing extends Adapter {
      override init(): Promise<void> {
        return Promise.reject(new Error("no network"));
      }
    }
    const made: string[] = [];
    const io = new Server({
      adapter: (nsp: Namespace) => {
        made.push(nsp.name);
        return new Adapter(nsp);
      },
    });
    io.of("/chat");
    assert.deepEqual(made, ["/", "/chat"]);
    assert.equal(io.adapter(Failing).adapter(), Failing);
    assert.ok(io.of("/chat").adapter instanceof Failing);
    const [{ message }] = (await warning) as [Error];
    assert.equal(message, "the adapter of / did not begin: Error: no network");
    assert.ok(new Server({ adapter: createAdapter }).sockets.adapter instanceof Adapter);
  });

  test("can be asked for and set by methods", () => {
    const io = new Server({ path: "/a", serveClient: false, connectTimeout: 1 });
    assert.equal(io.path(), "/a");
    assert.equal(io.path("b/").path(), "/b");
    assert.equal(io.serveClient(), false);
    assert.equal(io.serveClient(true).serveClient(), true);
    assert.equal(io.connectTimeout(), 1);
    assert.equal(io.connectTimeout(2).connectTimeout(), 2);
    assert.throws(() => io.connectTimeout(-1), { name: "RangeError" });
  });
});
