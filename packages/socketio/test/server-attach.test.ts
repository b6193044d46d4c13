import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { Agent, createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { testCertificates } from "@sluice/testkit";
import { io as connect, type Socket as ClientSocket } from "socket.io-client";
import { type AttachableServer, EngineServer, Server } from "../src/index.ts";
import { next } from "./support/io-server.ts";

async function portOf(server: AttachableServer | undefined): Promise<number> {
  assert.ok(server);
  if (!server.listening) await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Connects a stock client, which ends with the test. */
async function connected(
  context: TestContext,
  url: string,
  options: Record<string, unknown> = {},
): Promise<ClientSocket> {
  const client = connect(url, { forceNew: true, reconnection: false, ...options });
  context.after(() => client.disconnect());
  const failed = next(client, "connect_error").then(([error]) => Promise.reject(error as Error));
  await Promise.race([next(client, "connect"), failed]);
  return client;
}

describe("a server", () => {
  test("listens on a port", async (context) => {
    const io = new Server(0);
    context.after(() => io.close());
    const port = await portOf(io.httpServer);
    await connected(context, `http://127.0.0.1:${port}`);
    assert.equal((await fetch(`http://127.0.0.1:${port}/other`)).status, 404);
  });

  test("is attached to an HTTP server, whose other requests go where they went", async (context) => {
    const http = createServer((_request, response) => response.end("other"));
    const io = new Server(http);
    context.after(() => io.close());
    http.listen(0);
    const port = await portOf(http);
    await connected(context, `http://127.0.0.1:${port}`);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/socket.iox`)).text(), "other");
    assert.equal(io.httpServer, http);
  });

  test("is attached to an HTTPS server", async (context) => {
    const { ca, server } = testCertificates();
    const io = new Server();
    context.after(() => io.close());
    const https = createSecureServer(server);
    io.attach(https);
    https.listen(0);
    const connection = once(io, "connection");
    await connected(context, `https://localhost:${await portOf(https)}`, { ca });
    const [socket] = (await connection) as [{ handshake: { secure: boolean } }];
    assert.equal(socket.handshake.secure, true);
  });

  test("is attached to several servers, and closes them all", async (context) => {
    const io = new Server({ path: "/one" });
    const first = createServer();
    const second = createServer();
    io.attach(first);
    io.listen(second, { path: "/two", transports: ["websocket"] });
    first.listen(0);
    second.listen(0);
    await connected(context, `http://127.0.0.1:${await portOf(first)}`, { path: "/one" });
    const two = await connected(context, `http://127.0.0.1:${await portOf(second)}`, {
      path: "/two",
      transports: ["websocket"],
    });
    assert.equal(io.sockets.sockets.size, 2);
    const ended = next(two, "disconnect");
    await io.close();
    assert.deepEqual((await ended)[0], "transport close");
    assert.equal(first.listening || second.listening, false);
  });

  test("has an engine before it is attached, which it is attached with", async (context) => {
    const io = new Server();
    context.after(() => io.close());
    const { engine } = io;
    assert.ok(engine instanceof EngineServer);
    const connection = once(engine, "connection");
    io.attach(0);
    assert.equal(io.engine, engine);
    await connected(context, `http://127.0.0.1:${await portOf(io.httpServer)}`);
    await connection;
    assert.equal(engine.clientsCount, 1);
  });

  test("takes a port that is a text", async (context) => {
    const io = new Server("0" as never);
    context.after(() => io.close());
    await connected(context, `http://127.0.0.1:${await portOf(io.httpServer)}`);
  });

  test("does not take an application of Express for a server", () => {
    const application = Object.assign(() => {}, EventEmitter.prototype);
    assert.throws(() => new Server(application as never), { name: "TypeError", message: /Express/ });
  });

  test("serves below another path", async (context) => {
    const io = new Server(0, { path: "/live/" });
    context.after(() => io.close());
    const port = await portOf(io.httpServer);
    await connected(context, `http://127.0.0.1:${port}`, { path: "/live" });
    assert.equal((await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`)).status, 404);
  });

  test("asks the application about handshakes, and answers pages of other origins", async (context) => {
    const io = new Server(0, {
      cors: { origin: "https://example.com" },
      allowRequest: (request, decide) => decide(null, request.headers["x-ticket"] === "good"),
    });
    context.after(() => io.close());
    const url = `http://127.0.0.1:${await portOf(io.httpServer)}/socket.io/?EIO=4&transport=polling`;
    const refused = await fetch(url);
    assert.equal(refused.status, 403);
    const answer = await fetch(url, { headers: { "x-ticket": "good" } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("access-control-allow-origin"), "https://example.com");
  });
});

describe("the end of a server", () => {
  test("tells all sockets, ends the HTTP server, and is told by a promise and a function", async (context) => {
    const io = new Server(0);
    const port = await portOf(io.httpServer);
    const connection = once(io, "connection");
    const client = await connected(context, `http://127.0.0.1:${port}`, { transports: ["websocket"] });
    const [socket] = (await connection) as [ClientSocket];
    const ends = Promise.all([next(socket, "disconnect"), next(client, "disconnect")]);
    const told = new Promise((resolve) => {
      void io.close(resolve).then(() => assert.equal(io.httpServer?.listening, false));
    });
    const [[here], [there]] = await ends;
    assert.deepEqual([here, there], ["server shutting down", "transport close"]);
    assert.equal(await told, undefined);
    assert.equal(io.sockets.sockets.size, 0);
    assert.equal(io.counts.connections, 0);
  });

  test("waits for requests that are under way, and lets nobody in on their connections meanwhile", async (context) => {
    const answers: ServerResponse[] = [];
    const http = createServer((_request, response) => answers.push(response));
    const io = new Server(http);
    const port = await portOf(http.listen(0, "127.0.0.1"));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    context.after(() => agent.destroy());
    const ask = async (path: string): Promise<IncomingMessage> => {
      const [response] = (await once(get({ port, path, agent }), "response")) as [IncomingMessage];
      response.resume();
      await once(response, "end");
      return response;
    };
    const other = ask("/other");
    while (answers.length === 0) await once(http, "request");
    const closed = io.close();
    while (http.listening) await new Promise(setImmediate);
    const late = ask("/socket.io/?EIO=4&transport=polling");
    answers[0]?.end();
    assert.equal((await other).statusCode, 200);
    assert.deepEqual([(await late).statusCode, (await late).headers.connection], [503, "close"]);
    await closed;

    // It may listen again.
    await portOf(http.listen(port, "127.0.0.1"));
    await connected(context, `http://127.0.0.1:${port}`);
    await io.close();
  });

  test("is not that of one of its HTTP servers alone", async (context) => {
    const io = new Server();
    const [one, two] = [createServer(), createServer()];
    for (const http of [one, two]) io.attach(http.listen(0, "127.0.0.1"));
    context.after(() => io.close());
    const port = await portOf(two);
    await portOf(one);
    await once(one.close(), "close");
    await connected(context, `http://127.0.0.1:${port}`);
  });

  test("is told with an error where the HTTP server did not listen", async () => {
    const io = new Server(createServer());
    const error = await new Promise<Error | undefined>((resolve) => void io.close(resolve));
    assert.equal(error instanceof Error && "code" in error && error.code, "ERR_SERVER_NOT_RUNNING");
  });

  test("needs no HTTP server", async () => {
    await new Server().close();
  });
});
