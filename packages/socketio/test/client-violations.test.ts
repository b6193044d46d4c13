import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Socket, SocketIoError } from "../src/index.ts";
import { PollingClient } from "./support/engine.ts";
import { IoServer, next } from "./support/io-server.ts";
import { WireClient } from "./support/wire-client.ts";

const parseErrors: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
  "a packet of no type": ["4x"],
  "an EVENT that is no array": ["42{}"],
  "an EVENT of a reserved name": ['42["disconnect"]'],
  "an attachment of no packet": [Uint8Array.of(1)],
  "a text where an attachment is to come": ['451-["a",{"_placeholder":true,"num":0}]', '42["b"]'],
  "a placeholder of no attachment": ['451-["a",{"_placeholder":true,"num":1}]', Uint8Array.of(1)],
  "more attachments than there may be": ['4511-["a"]'],
  "an id that is no number": ["431.5[]"],
};

const violations: Readonly<Record<string, string>> = {
  "an EVENT for a namespace that it has not joined": '42/other,["a"]',
  "a CONNECT to a namespace that it has joined": "40",
  "a CONNECT_ERROR": '44{"message":"a"}',
  "a DISCONNECT from a namespace that it has not joined": "41/other",
};

describe("a client that breaks a rule", () => {
  for (const [what, packets] of Object.entries(parseErrors)) {
    test(`is disconnected with a parse error: ${what}`, async (context) => {
      const server = await IoServer.start();
      context.after(() => server.close());
      const connection = next(server.io, "connection");
      const client = await WireClient.join(context, server.port);
      const [socket] = (await connection) as [Socket];
      const end = next(socket, "disconnect");
      client.send(...packets);
      const [reason, description] = (await end) as [string, SocketIoError];
      assert.deepEqual([reason, description.code], ["parse error", "packet_invalid"]);
      assert.deepEqual(await client.end(), { code: 1002, reason: description.message });
      assert.equal(server.io.counts.ended.invalid, 1);
      assert.equal(server.io.counts.connections, 0);
    });
  }

  for (const [what, packet] of Object.entries(violations)) {
    test(`is disconnected by the server: ${what}`, async (context) => {
      const server = await IoServer.start();
      context.after(() => server.close());
      server.io.of("/other");
      const connection = next(server.io, "connection");
      const client = await WireClient.join(context, server.port);
      const [socket] = (await connection) as [Socket];
      const end = next(socket, "disconnect");
      client.send(packet);
      const [reason, description] = (await end) as [string, SocketIoError];
      assert.deepEqual([reason, description.code], ["forced server close", "namespace_invalid"]);
      assert.deepEqual(await client.end(), { code: 1002, reason: description.message });
    });
  }

  test("has nothing of what it sends behind that handled", async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    const handled: string[] = [];
    server.io.on("connection", (socket) => socket.onAny((name: string) => handled.push(name)));
    const polling = new PollingClient(`http://127.0.0.1:${server.port}/socket.io/`);
    await polling.open();
    await polling.post('40\x1e42["a"]\x1e4x\x1e42["b"]');
    assert.deepEqual(handled, ["a"]);
    assert.match(await polling.poll(), /^40\{.*\}$/);
    assert.equal(await polling.poll(), "1");
    assert.equal((await polling.get()).status, 400);
  });

  test("is told as `error` too, where somebody listens", async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    const connection = next(server.io, "connection");
    const client = await WireClient.join(context, server.port);
    const [socket] = (await connection) as [Socket];
    const error = new Promise<Error>((resolve) => {
      socket.on("error", resolve);
    });
    client.send("4x");
    assert.equal(((await error) as SocketIoError).code, "packet_invalid");
  });

  test("may name events by numbers, and acknowledge what was not asked", async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    server.io.on("connection", (socket) => socket.on("echo", (answer: () => void) => answer()));
    const client = await WireClient.join(context, server.port);
    client.send("42[1,2]", "4399[]", '421["echo"]');
    assert.equal(await client.next(), "431[]");
  });
});

describe("a client that was taken out of a namespace", () => {
  test("may have sent something before it knew", async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    const chat = server.io.of("/chat");
    chat.on("connection", (socket) => socket.on("bye", () => socket.disconnect()));
    server.io.on("connection", (socket) => socket.on("echo", (answer: () => void) => answer()));
    const client = await WireClient.join(context, server.port);
    client.send("40/chat");
    await client.next();
    client.send('42/chat,["bye"]', '42/chat,["late"]', '43/chat,7["late"]', "41/chat", '421["echo"]');
    assert.equal(await client.next(), "41/chat,");
    assert.equal(await client.next(), "431[]");
    assert.equal(chat.sockets.size, 0);
    client.send('42/chat,["late"]');
    assert.equal((await client.end()).code, 1002);
  });

  test("may come again", async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    server.io.on("connection", (socket) => socket.on("bye", () => socket.disconnect()));
    const client = await WireClient.join(context, server.port);
    client.send('42["bye"]', "40");
    assert.equal(await client.next(), "41");
    assert.match(String(await client.next()), /^40\{/);
  });

  test("is remembered for as many namespaces as a connection may have", async (context) => {
    const server = await IoServer.start({ limits: { namespacesPerConnection: 1 } });
    context.after(() => server.close());
    server.io.of(/^\//).on("connection", (socket) => socket.disconnect());
    const client = await WireClient.connect(context, server.port);
    for (const name of ["/a", "/b"]) {
      client.send(`40${name}`);
      assert.match(String(await client.next()), /^40/);
      assert.equal(await client.next(), `41${name},`);
    }
    client.send('42/b,["late"]', '42/a,["late"]');
    assert.equal((await client.end()).reason, "the client has not joined /a");
  });

  test("is no client that left by itself", async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    const client = await WireClient.join(context, server.port);
    client.send("41", '42["late"]');
    assert.equal((await client.end()).reason, "the client has not joined /");
  });
});
