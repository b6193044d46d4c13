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
