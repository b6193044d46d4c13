import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultServerLimits, Server, type ServerOptions } from "../src/index.ts";

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
