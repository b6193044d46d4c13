import assert from "node:assert/strict";
import { createServer as createHttp2Server, connect as connectHttp2 } from "node:http2";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { acceptHttp2WebSocket, connectHttp2WebSocket, connectWebSocket } from "@sluice/websocket";
import { acceptInto, createSseHandler, Hub, roomsByPattern, SocketFaces } from "../../src/index.ts";
import { Queue } from "./support/queue.ts";
import { startHub } from "./support/server.ts";
import { SessionClient } from "./support/session-client.ts";
import { WsClient } from "./support/ws-client.ts";

describe("the faces on WebSockets", () => {
  test("are told apart by the first subprotocol of the client that is spoken", async (context) => {
    const { hub, port } = await startHub(context, {}, { protocols: ["chat.v1"] });
    const faces = new Queue<string>();
    hub.onConnect((session) => faces.push(session.face));
    const offers = [
      [],
      ["unknown"],
      ["unknown", "sluice.packet.v1", "sluice.session.v1"],
      ["chat.v1", "sluice.packet.v1"],
      ["sluice.session.v1", "chat.v1"],
    ];
    const agreed: string[] = [];
    for (const protocols of offers) {
      const client = await WsClient.connect(context, port, { protocols }).catch(() => undefined);
      // A client of RFC 6455 gives up where none of its subprotocols is answered.
      agreed.push(client?.socket.protocol ?? "none");
      client?.send('{"connect":{}}');
    }
    assert.deepEqual(agreed, ["", "none", "sluice.packet.v1", "chat.v1", "sluice.session.v1"]);
    assert.deepEqual(await faces.take(5), ["websocket", "websocket", "packet", "websocket", "session"]);
  });

  test("close a client with 4400 that none of them takes, and say what it may offer", async (context) => {
    const { hub, port } = await startHub(context, {}, { faces: ["session", "packet"] });
    const client = await WsClient.connect(context, port);
    client.send("hello?");
    const { code, reason } = await client.closed;
    assert.equal(code, 4400);
    assert.match(reason, /offer sluice\.session\.v1 or sluice\.packet\.v1/);
    assert.equal(hub.size, 0);
  });

  test("hold sessions on WebSockets over HTTP/2", async (context) => {
    const hub = new Hub();
    hub.onMessage((session, text) => void session.send(`${session.request.path} ${text}`));
    const faces = new SocketFaces(hub);
    const server = createHttp2Server({ settings: { enableConnectProtocol: true } });
    server.on("stream", (stream, headers) => {
      const request = { headers, url: headers[":path"], socket: stream.session?.socket ?? {} };
      acceptHttp2WebSocket(stream, headers, faces.accept(request));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    context.after(async () => {
      await hub.close();
      session.destroy();
      server.close();
    });
    await once(session, "remoteSettings");
    const heard = new Queue<string>();
    const connection = await connectHttp2WebSocket(session, "/chat?x=1", {
      handlers: { message: (_connection, data) => heard.push(data.toString()) },
    });
    connection.send("hello");
    assert.equal(await heard.next(), "/chat hello");
  });

  test("compress what is published once for all", async (context) => {
    const { hub, port } = await startHub(context, {}, { compression: { threshold: 10 } });
    const joined = new Queue<string>();
    hub.onConnect((session) => void session.join("room").then(({ room }) => joined.push(room)));
    const text = "all the same ".repeat(1_000);
    const clients: { readonly heard: Queue<string>; readonly bytes: () => number }[] = [];
    for (let index = 0; index < 3; index++) {
      const heard = new Queue<string>();
      const handlers = { message: (_connection: unknown, data: Buffer) => heard.push(data.toString()) };
      const connection = await connectWebSocket(`ws://127.0.0.1:${port}`, { handlers, compression: true });
      clients.push({ heard, bytes: () => connection.bytesReceived });
    }
    await joined.take(3);
    await hub.publish("room", text);
    for (const { heard, bytes } of clients) {
      assert.equal(await heard.next(), text);
      assert.ok(bytes() < 500, `${bytes()} bytes`);
    }
  });

  test("end a client that shows no sign of life", async (context) => {
    const { hub, port } = await startHub(context, {}, { heartbeat: { intervalMs: 20, patienceMs: 20 } });
    const ends = new Queue<{ readonly code: number }>();
    hub.onDisconnect((_session, disconnection) => ends.push(disconnection));
    const client = await WsClient.connect(context, port);
    client.socket.pause();
    assert.equal((await ends.next()).code, 1006);
  });

  test("tell the server, and not the client, what broke", async (context) => {
    const failures = new Queue<unknown>();
    const { port } = await startHub(
      context,
      { rooms: roomsByPattern({ "*": { presence: true } }) },
      {
        identify: () => Promise.resolve({ user: "ada", info: 1n }),
        failed: (error) => failures.push(error),
      },
    );
    const { client } = await SessionClient.connect(context, port, { token: "t", rooms: [{ room: "a" }] });
    assert.deepEqual(await client.call({ presence: "a" }), {
      id: 1,
      error: { code: "INTERNAL", message: "the server failed" },
    });
    assert.ok((await failures.next()) instanceof TypeError);
  });

  test("survive clients that say anything at all", async (context) => {
    const { hub, port } = await startHub(context);
    hub.onMessage((session, text) => void session.send(text));
    hub.onMessageBinary((session, bytes) => void session.send(bytes));
    const texts = fc.oneof(fc.string({ unit: "binary" }), fc.json());
    const bytes = fc.uint8Array({ maxLength: 100 }).map((each) => Buffer.from(each));
    const messages = fc.sample(fc.array(fc.oneof(texts, bytes), { minLength: 1, maxLength: 5 }), {
      numRuns: 60,
      seed: 7,
    });
    const codes = new Set<number>();
    for (const [index, said] of messages.entries()) {
      const protocol = ["sluice.session.v1", "sluice.packet.v1"][index % 2]!;
      const client = await WsClient.connect(context, port, { protocols: [protocol] });
      for (const each of said) client.send(each);
      client.socket.close(1000);
      codes.add((await client.closed).code);
    }
    assert.deepEqual(
      [...codes].filter((code) => ![1000, 1003, 1009, 4400].includes(code)),
      [],
    );
    const { client } = await SessionClient.connect(context, port);
    assert.deepEqual(
      await client.call({ send: "still here?" }).then(({ message }) => message),
      "still here?",
    );
    assert.equal(hub.size, 1);
  });

  test("keep what an application sends before it reads in order, however the client reads", async (context) => {
    const { hub, port } = await startHub(context);
    const count = 300;
    hub.onConnect((session) => {
      for (let index = 0; index < count; index++) session.send(`${index} ${"x".repeat(1_000)}`);
    });
    const { client } = await SessionClient.connect(context, port);
    client.ws.socket.pause();
    setImmediate(() => client.ws.socket.resume());
    const heard = (await client.take(count)).map(({ message }) => Number(String(message).split(" ", 1)[0]));
    assert.deepEqual(heard, [...Array(count).keys()]);
  });
});

describe("options of the faces that cannot be meant", () => {
  const hub = new Hub();
  const wrong: [name: string, make: () => unknown, message: RegExp][] = [
    ["firstMessageMs", () => acceptInto(hub, { limits: { firstMessageMs: 0 } }), /firstMessageMs is 0/],
    [
      "envelopeBytes",
      () => acceptInto(hub, { limits: { envelopeBytes: Number.NaN } }),
      /envelopeBytes is NaN/,
    ],
    ["pendingCommands", () => acceptInto(hub, { limits: { pendingCommands: -1 } }), /pendingCommands is -1/],
    [
      "historyBytes",
      () => acceptInto(hub, { limits: { historyBytes: Infinity } }),
      /historyBytes is Infinity/,
    ],
    [
      "packetsPerMessage",
      () => acceptInto(hub, { limits: { packetsPerMessage: 0 } }),
      /packetsPerMessage is 0/,
    ],
    ["heartbeat", () => acceptInto(hub, { heartbeat: { intervalMs: 0 } }), /intervalMs is 0/],
    ["bodyMs", () => createSseHandler(hub, { limits: { bodyMs: 0 } }), /bodyMs is 0/],
    ["pendingPosts", () => createSseHandler(hub, { limits: { pendingPosts: 0 } }), /pendingPosts is 0/],
    ["closingMs", () => createSseHandler(hub, { limits: { closingMs: 0 } }), /closingMs is 0/],
    ["keepAliveMs", () => createSseHandler(hub, { keepAliveMs: Infinity }), /keepAliveMs is Infinity/],
    ["retryMs", () => createSseHandler(hub, { retryMs: 0 }), /retryMs is 0/],
  ];
  for (const [name, make, message] of wrong) {
    test(`are a RangeError: ${name}`, () => assert.throws(make, { name: "RangeError", message }));
  }
});
