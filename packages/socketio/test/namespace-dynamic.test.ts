import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test, type TestContext } from "node:test";
import type { ServerOptions } from "../src/index.ts";
import { IoServer, next } from "./support/io-server.ts";

async function start(context: TestContext, options: Partial<ServerOptions> = {}): Promise<IoServer> {
  const server = await IoServer.start(options);
  context.after(() => server.close());
  return server;
}

async function refusalOf(server: IoServer, namespace: string): Promise<string> {
  const [error] = (await next(server.open(namespace), "connect_error")) as [Error];
  return error.message;
}

/** Whether a server has a namespace. */
function has({ io }: IoServer, name: string): boolean {
  // oxlint-disable-next-line no-underscore-dangle -- What tools for socket.io read.
  return io._nsps.has(name);
}

describe("namespaces that clients bring about", () => {
  test("have names that match a pattern, and what their parent has", async (context) => {
    const server = await start(context);
    const { io } = server;
    const called: string[] = [];
    const parent = io.of(/^\/room-\d+$/g);
    parent.use((socket, go) => {
      called.push(`use ${socket.nsp.name}`);
      go();
    });
    parent.on("connection", (socket) => called.push(`connection ${socket.nsp.name}`));
    await server.connect("/room-1");
    await server.connect("/room-2");
    assert.deepEqual(called, ["use /room-1", "connection /room-1", "use /room-2", "connection /room-2"]);
    assert.equal(await refusalOf(server, "/room-x"), "Invalid namespace");
    assert.equal(io.counts.refused.unknownNamespace, 1);
  });

  test("are told of, once each", async (context) => {
    const server = await start(context);
    const names: string[] = [];
    server.io.on("new_namespace", ({ name }) => names.push(name));
    server.io.of(/^\/a/);
    server.io.of("/static");
    await server.connect("/a1");
    await server.connect("/a1");
    assert.deepEqual(names, ["/static", "/a1"]);
  });

  test("are allowed by a function, which is told what the client says", async (context) => {
    const server = await start(context);
    server.io.of((name, auth, decide) => decide(null, name === "/secret" && auth.password === "mellon"));
    await server.connect("/secret", { auth: { password: "mellon" } });
    assert.equal(await refusalOf(server, "/other"), "Invalid namespace");
  });

  test("are not allowed by a function that fails", async (context) => {
    const server = await start(context);
    server.io.of((_name, _auth, decide) => decide(new Error("no"), true));
    server.io.of(() => {
      throw new Error("no");
    });
    server.io.of(async () => Promise.reject(new Error("no")));
    assert.equal(await refusalOf(server, "/any"), "Invalid namespace");
  });

  test("come from the first parent that allows them", async (context) => {
    const server = await start(context);
    const called: string[] = [];
    server.io.of(/^\/x/, () => called.push("pattern"));
    server.io.of(
      (_name, _auth, decide) => decide(null, true),
      () => called.push("function"),
    );
    await server.connect("/x");
    await server.connect("/y");
    assert.deepEqual(called, ["pattern", "function"]);
  });

  test("are also created by the server, where a pattern fits", async (context) => {
    const server = await start(context);
    const connection = new Promise((resolve) => {
      server.io.of(/^\/x/, resolve);
    });
    assert.equal(server.io.of("x1").name, "/x1");
    await server.connect("/x1");
    await connection;
  });

  test("all have what is emitted on their parent", async (context) => {
    const server = await start(context);
    const parent = server.io.of(/^\/x/);
    const { client: one } = await server.connect("/x1");
    const { client: two } = await server.connect("/x2");
    const told = Promise.all([next(one, "hello"), next(two, "hello")]);
    parent.to("nobody").emit("hello", "nobody");
    parent.emit("hello", "all");
    assert.deepEqual(await told, [["all"], ["all"]]);
    await assert.rejects(parent.fetchSockets(), /not supported on parent namespaces/);
    const ends = Promise.all([next(one, "disconnect"), next(two, "disconnect")]);
    parent.disconnectSockets();
    await ends;
  });

  test("have each its own offset of what is emitted on their parent, where sockets are recovered", async (context) => {
    const server = await start(context, { connectionStateRecovery: {} });
    const parent = server.io.of(/^\/x/);
    const { client: one } = await server.connect("/x1");
    const { client: two } = await server.connect("/x2");
    const told = Promise.all([next(one, "hello"), next(two, "hello")]);
    parent.emit("hello", "all");
    assert.deepEqual(
      (await told).map((args) => args.map((each) => typeof each)),
      [
        ["string", "string"],
        ["string", "string"],
      ],
    );
  });

  test("stay when the last socket leaves, unless they are to be removed", async (context) => {
    const server = await start(context);
    server.io.of(/^\/x/);
    const { client, server: socket } = await server.connect("/x1");
    client.disconnect();
    await once(socket, "disconnect");
    assert.ok(has(server, "/x1"));
  });

  test("are removed when the last socket leaves, where that is asked for", async (context) => {
    const server = await start(context, { cleanupEmptyChildNamespaces: true });
    const parent = server.io.of(/^\/x/);
    let wait = false;
    const waiting = new Promise<() => void>((resolve) => {
      parent.use((_socket, go) => {
        if (wait) resolve(go);
        else go();
      });
    });
    const first = await server.connect("/x1");
    const namespace = first.server.nsp;
    const closed = new Promise<void>((resolve) => {
      namespace.adapter.close = () => resolve();
    });
    wait = true;
    const second = server.open("/x1");
    const goOn = await waiting;
    first.client.disconnect();
    await once(first.server, "disconnect");
    assert.ok(has(server, "/x1"), "somebody waits to be let in");
    const connected = next(second, "connect");
    goOn();
    await connected;
    second.disconnect();
    await closed;
    assert.equal(has(server, "/x1"), false);
    wait = false;
    assert.notEqual((await server.connect("/x1")).server.nsp, namespace);
  });

  test("are removed where nobody was let in", async (context) => {
    const server = await start(context, { cleanupEmptyChildNamespaces: true });
    server.io.of(/^\/x/).use((_socket, go) => go(new Error("no")));
    assert.equal(await refusalOf(server, "/x1"), "no");
    assert.equal(has(server, "/x1"), false);
  });
});
