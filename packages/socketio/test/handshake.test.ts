import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, test, type TestContext } from "node:test";
import type { ServerOptions } from "../src/index.ts";
import { IoServer } from "./support/io-server.ts";

async function start(context: TestContext, options: Partial<ServerOptions> = {}): Promise<IoServer> {
  const server = await IoServer.start(options);
  context.after(() => server.close());
  return server;
}

describe("the handshake of a socket", () => {
  test("says how the client came", async (context) => {
    const server = await start(context);
    const before = Date.now();
    const { server: socket } = await server.connect("/", {
      auth: { token: "t" },
      query: { room: "a" },
      extraHeaders: { "x-device": "phone" },
    });
    const { handshake } = socket;
    assert.equal(handshake.headers["x-device"], "phone");
    assert.equal(handshake.address, "127.0.0.1");
    assert.equal(handshake.xdomain, false);
    assert.equal(handshake.secure, false);
    assert.ok(handshake.issued >= before && handshake.issued <= Date.now());
    assert.equal(handshake.time, String(new Date(handshake.issued)));
    assert.match(handshake.url, /^\/socket\.io\/\?room=a&EIO=4&transport=websocket/);
    assert.equal(handshake.query.room, "a");
    assert.deepEqual(handshake.auth, { token: "t" });
  });

  test("is one object, which middlewares may change", async (context) => {
    const server = await start(context);
    server.io.use(({ handshake }, go) => {
      handshake.auth.user = "ada";
      go();
    });
    const { server: socket } = await server.connect();
    assert.equal(socket.handshake.auth.user, "ada");
  });
});

describe("the connection of a socket", () => {
  test("has the secret id that its client has", async (context) => {
    const server = await start(context);
    const { server: socket } = await server.connect();
    assert.equal(socket.client.id, socket.conn.id);
    assert.notEqual(socket.client.id, socket.id);
  });

  test("is listened to as an emitter is", async (context) => {
    const server = await start(context);
    const { client, server: socket } = await server.connect();
    const called: string[] = [];
    const dropped = (): void => void called.push("dropped");
    socket.conn.on("packet", dropped).on("close", (reason) => called.push(reason));
    socket.conn.removeListener("packet", dropped);
    const closed = once(socket.conn as never, "close");
    client.disconnect();
    await closed;
    assert.deepEqual(called, ["transport close"]);
  });
});

describe("the request of a socket", () => {
  test("is one with what was in it, which middlewares may put something on", async (context) => {
    const server = await start(context);
    const put = new WeakMap<IncomingMessage, string>();
    server.io.use(({ request }, go) => {
      put.set(request, "session");
      go();
    });
    const { server: socket } = await server.connect("/", { extraHeaders: { cookie: "a=b" } });
    const { request } = socket;
    assert.equal(put.get(request), "session");
    assert.equal(request, socket.client.request);
    assert.deepEqual([request.method, request.headers.cookie], ["GET", "a=b"]);
    assert.match(request.url ?? "", /^\/socket\.io\/\?/);
    assert.equal(request.socket.remoteAddress, "127.0.0.1");
    assert.equal("encrypted" in request.socket, false);
    assert.equal((request as { _query?: { EIO?: string } })["_query"]?.EIO, "4");
  });

  test("is the very one that a middleware of the engine has seen", async (context) => {
    const server = await start(context);
    const seen: IncomingMessage[] = [];
    server.io.engine.use((request, _response, go) => {
      seen.push(request);
      go();
    });
    const { server: socket } = await server.connect();
    assert.equal(socket.request, seen[0]);
  });

  test("is the very one that allowRequest has seen", async (context) => {
    const seen: IncomingMessage[] = [];
    const server = await start(context, {
      allowRequest: (request, decide) => {
        seen.push(request);
        decide(null, true);
      },
    });
    const { server: socket } = await server.connect();
    assert.equal(socket.request, seen[0]);
  });
});
