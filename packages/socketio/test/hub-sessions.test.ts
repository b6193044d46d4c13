import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, test } from "node:test";
import { CloseCode } from "@sluice/hub";
import { Server } from "../src/index.ts";
import { HubServer } from "./support/hub-server.ts";
import { next } from "./support/io-server.ts";

describe("The session of a socket", () => {
  test("has the socket's id and what was asked for, without secrets and what is the transport's", async () => {
    const hubServer = await HubServer.start(
      {},
      {},
      { headers: ["x-kept"], secrets: ["secret"], address: () => "::2" },
    );
    const { hub, server } = hubServer;
    server.io.of("/chat");
    const { server: socket } = await server.connect("/chat", {
      query: { a: "b c", secret: "s" },
      extraHeaders: { "x-kept": "kept", "x-other": "no" },
    });
    const session = hub.session(socket.id);
    assert.ok(session);
    assert.deepEqual(session.request, {
      address: "::2",
      path: "/chat",
      query: "a=b%20c",
      headers: { "x-kept": "kept" },
    });
    assert.deepEqual([session.face, session.user, session.phase], ["socketio", "", "connected"]);
    await hubServer.close();
  });

  test("is whose the application says, until that expires", async () => {
    const hubServer = await HubServer.start(
      {},
      {},
      {
        identify: ({ handshake, data }) => {
          const { token } = handshake.auth;
          if (token === undefined) return undefined;
          if (token !== "right") throw Object.assign(new Error("no such token"), { data: { code: 7 } });
          return Promise.resolve({ user: String(data.name), expiresAt: Date.now() + 50 });
        },
      },
    );
    const { hub, server } = hubServer;
    server.io.use((socket, nextOne) => {
      socket.data.name = "ada";
      nextOne();
    });
    const nobody = await server.connect();
    assert.equal(hub.session(nobody.server.id)?.user, "");
    const ada = await server.connect("/", { auth: { token: "right" } });
    assert.equal(hub.session(ada.server.id)?.user, "ada");
    assert.deepEqual((await next(ada.client, "disconnect"))[0], "transport close");
    const wrong = server.open("/", { auth: { token: "wrong" } });
    const [error] = (await next(wrong, "connect_error")) as [Error & { data: unknown }];
    assert.deepEqual([error.message, error.data], ["no such token", { code: 7 }]);
    await hubServer.close();
  });

  test("that the hub refuses is an error of the connection, with the hub's code", async () => {
    const hubServer = await HubServer.start({
      admit: ({ request }) =>
        request.query === "in=no" ? { code: CloseCode.DENIED, reason: "not in" } : undefined,
    });
    const { server, hub } = hubServer;
    const client = server.open("/", { query: { in: "no" } });
    const [error] = (await next(client, "connect_error")) as [Error & { data: unknown }];
    assert.deepEqual([error.message, error.data], ["not in", { code: 4403 }]);
    await server.connect();
    assert.equal(hub.size, 1);
    assert.equal(server.io.counts.refused.unauthorized, 1);
    await hubServer.close();
  });

  test("that the hub ends as it begins is an error of the connection too", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    hub.onConnect((session) => session.close(4000, "enough"));
    const [error] = (await next(server.open(), "connect_error")) as [Error & { data: unknown }];
    assert.deepEqual([error.message, error.data], ["enough", { code: 4000 }]);
    assert.equal(hub.size, 0);
    await hubServer.close();
  });

  test("that is closed while its socket connects is given what was sent to it", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    server.io.on("connection", (socket) => {
      socket.emit("last", "words");
      socket.emit("very last");
      hub.session(socket.id)?.close(4000, "enough");
    });
    const client = server.open();
    const told = [next(client, "last"), next(client, "very last"), next(client, "sluice.close")];
    assert.deepEqual(await Promise.all(told), [["words"], [], [{ code: 4000, reason: "enough" }]]);
    await hubServer.close();
  });

  test("that is closed disconnects the socket, or its connection where the client is to come back", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    for (const [code, clientReason, serverReason] of [
      [1000, "io server disconnect", "server namespace disconnect"],
      [CloseCode.DENIED, "io server disconnect", "server namespace disconnect"],
      [4999, "io server disconnect", "server namespace disconnect"],
      [CloseCode.GOING_AWAY, "transport close", "forced close"],
      [CloseCode.TRY_AGAIN_LATER, "transport close", "forced close"],
    ] as const) {
      const { client, server: socket } = await server.connect("/", { reconnection: false });
      const told = next(client, "sluice.close");
      const ends = [next(client, "disconnect"), next(socket, "disconnect")];
      hub.session(socket.id)?.close(code, "because");
      assert.deepEqual(await told, [{ code, reason: "because" }]);
      assert.deepEqual(
        (await Promise.all(ends)).map(([reason]) => reason),
        [clientReason, serverReason],
      );
    }
    assert.equal(hub.size, 0);
    await hubServer.close();
  });

  test("is over when its socket is disconnected, by whomever", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    const ends: string[] = [];
    hub.onDisconnect((_session, { code, reason, clean }) => ends.push(`${code} ${reason} ${clean}`));
    const first = await server.connect();
    first.client.disconnect();
    await next(first.server, "disconnect");
    const second = await server.connect();
    second.server.disconnect();
    const third = await server.connect();
    third.client.io.engine.close();
    await next(third.server, "disconnect");
    assert.deepEqual(ends, [
      "1000 client namespace disconnect true",
      "1000 server namespace disconnect true",
      "1006 transport close false",
    ]);
    await hubServer.close();
  });

  test("is answered by the next heartbeat where it asks for a sign of life", async () => {
    const hubServer = await HubServer.start({}, { pingInterval: 20 });
    const { hub, server } = hubServer;
    const { server: socket } = await server.connect();
    const answered = new Promise((resolve) => {
      hub.onPong(resolve);
    });
    hub.session(socket.id)?.ping();
    assert.equal(await answered, hub.session(socket.id));
    await hubServer.close();
  });

  test("does not begin for a client that leaves while it is decided", async () => {
    const steps = new EventEmitter();
    const asked = once(steps, "asked");
    const hubServer = await HubServer.start({
      admit: async () => {
        steps.emit("asked");
        await once(steps, "decided");
      },
    });
    const { hub, server } = hubServer;
    const over = new Promise((resolve) => {
      hub.onDisconnect(resolve);
    });
    const client = server.open("/", { reconnection: false });
    await asked;
    const [connection] = server.io.engine.sessions.values();
    const closed = new Promise((resolve) => {
      connection?.once("close", resolve);
    });
    client.io.engine.close();
    await closed;
    steps.emit("decided");
    await over;
    assert.deepEqual([hub.size, server.io.sockets.sockets.size], [0, 0]);
    await hubServer.close();
  });

  test("cannot have another adapter", () => {
    assert.throws(
      () => new Server({ hub: {} as never, adapter: {} as never }),
      /hub and adapter are both given/,
    );
  });

  test("is one for each namespace of a client, of any revision", async () => {
    const hubServer = await HubServer.start({}, { allowEIO3: true });
    const { hub, server } = hubServer;
    server.io.of("/chat");
    const main = await server.connect();
    const chat = main.client.io.socket("/chat");
    await next(chat, "connect");
    assert.equal(hub.size, 2);
    assert.deepEqual(
      [...hub.sessions].map(({ request: { path } }) => path),
      ["/", "/chat"],
    );
    chat.disconnect();
    await new Promise((resolve) => {
      hub.onDisconnect(resolve);
    });
    assert.equal(hub.size, 1);
    await hubServer.close();
  });
});
