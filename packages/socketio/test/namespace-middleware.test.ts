import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { ExtendedError, ServerOptions, Socket } from "../src/index.ts";
import { IoServer, next } from "./support/io-server.ts";
import { WireClient } from "./support/wire-client.ts";

async function start(context: TestContext, options: Partial<ServerOptions> = {}): Promise<IoServer> {
  const server = await IoServer.start(options);
  context.after(() => server.close());
  return server;
}

type Refused = [error: Error & { data?: unknown }];

describe("the middlewares of a namespace", () => {
  test("are called in turn, before the socket is connected", async (context) => {
    const server = await start(context);
    const called: string[] = [];
    server.io.use((socket, go) => {
      called.push(`first ${socket.connected} ${String(socket.handshake.auth.token)}`);
      socket.data.user = "ada";
      go();
    });
    server.io.use(async (socket, go) => {
      await turn();
      called.push(`second ${socket.data.user}`);
      go();
    });
    server.io.on("connection", (socket) => called.push(`connection ${socket.connected}`));
    await server.connect("/", { auth: { token: "t" } });
    assert.deepEqual(called, ["first false t", "second ada", "connection true"]);
  });

  test("refuse a client, who is told the message and the data", async (context) => {
    const server = await start(context);
    server.io.use((_socket, go) => {
      const error: ExtendedError = new Error("not allowed");
      error.data = { code: 7 };
      go(error);
    });
    server.io.use(() => assert.fail("called after a refusal"));
    const [error] = (await next(server.open(), "connect_error")) as Refused;
    assert.deepEqual([error.message, error.data], ["not allowed", { code: 7 }]);
    assert.equal(server.io.counts.refused.unauthorized, 1);
    assert.equal(server.io.sockets.sockets.size, 0);
  });

  const failures: Readonly<Record<string, () => unknown>> = {
    throws: () => {
      throw new Error("no");
    },
    rejects: () => Promise.reject(new Error("no")),
  };
  for (const [how, fail] of Object.entries(failures)) {
    test(`refuse a client where one ${how}`, async (context) => {
      const server = await start(context);
      server.io.use(() => fail());
      const [error] = (await next(server.open(), "connect_error")) as Refused;
      assert.equal(error.message, "no");
    });
  }

  test("of one namespace are not those of another", async (context) => {
    const server = await start(context);
    server.io.of("/closed").use((_socket, go) => go(new Error("closed")));
    await server.connect("/");
    await next(server.open("/closed"), "connect_error");
  });

  test("may be called back twice, and once counts", async (context) => {
    const server = await start(context);
    server.io.use((_socket, go) => {
      go();
      go(new Error("too late"));
    });
    let connections = 0;
    server.io.on("connection", () => connections++);
    await server.connect();
    assert.equal(connections, 1);
  });

  test("leave nothing behind of a client that leaves while they wait", async (context) => {
    const server = await start(context);
    const waiting = new Promise<[Socket, () => void]>((resolve) => {
      server.io.use((socket, go) => {
        void socket.join("room");
        resolve([socket, go]);
      });
    });
    server.io.on("connection", () => assert.fail("connected"));
    const client = server.open();
    const [socket, go] = await waiting;
    client.disconnect();
    await once(socket.conn as never, "close");
    go();
    const { adapter } = server.io.of("/");
    assert.deepEqual([adapter.rooms.size, adapter.sids.size], [0, 0]);
  });

  test("let in the later of two wishes of a client for one namespace", async (context) => {
    const server = await start(context);
    const waiting: (() => void)[] = [];
    const asked = new Promise<void>((resolve) => {
      server.io.use((_socket, go) => {
        waiting.push(go);
        if (waiting.length === 2) resolve();
      });
    });
    const client = await WireClient.connect(context, server.port);
    client.send("40", "40");
    await asked;
    for (const go of waiting) go();
    const answer = String(await client.next());
    const [id] = [...server.io.sockets.sockets.keys()];
    assert.equal(answer, `40{"sid":"${id}"}`);
    assert.equal(server.io.sockets.sockets.size, 1);
  });
});

describe("a namespace", () => {
  test("connects a client at once where nothing is to be waited for", async (context) => {
    const server = await start(context);
    const order: string[] = [];
    server.io.engine.on("connection", (session) => {
      // Called before the packet is handled.
      session.once("packet", () => process.nextTick(() => order.push("next tick")));
    });
    server.io.use((_socket, go) => go());
    server.io.on("connection", () => order.push("connection"));
    await server.connect();
    assert.equal(order[0], "connection");
  });

  test("throws on what a listener throws, and goes on", async (context) => {
    const server = await start(context);
    const thrown = new Promise<Error>((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
    context.after(() => process.setUncaughtExceptionCaptureCallback(null));
    server.io.on("connection", () => {
      throw new Error("of a listener");
    });
    const { server: socket } = await server.connect();
    assert.equal((await thrown).message, "of a listener");
    assert.equal(socket.connected, true);
  });
});
