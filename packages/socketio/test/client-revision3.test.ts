import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test, type TestContext } from "node:test";
import type { ExtendedError, Socket } from "../src/index.ts";
import { IoServer } from "./support/io-server.ts";
import { WireClient } from "./support/wire-client.ts";

async function start(context: TestContext): Promise<IoServer> {
  const server = await IoServer.start({ allowEIO3: true });
  context.after(() => server.close());
  return server;
}

describe("a client of 2.x", () => {
  test("is in the namespace / without asking for it, by the id of its connection", async (context) => {
    const server = await start(context);
    const connection = once(server.io, "connection");
    const client = await WireClient.connect(context, server.port, 3);
    assert.equal(await client.next(), "40");
    const [socket] = (await connection) as [Socket];
    assert.equal(socket.id, socket.conn.id);
  });

  test("says what it is in the query of the namespace", async (context) => {
    const server = await start(context);
    const connection = once(server.io.of("/chat"), "connection");
    const client = await WireClient.connect(context, server.port, 3);
    await client.next();
    client.send("40/chat?token=abc&lang=en,");
    assert.equal(await client.next(), "40/chat,");
    const [socket] = (await connection) as [Socket];
    assert.equal(socket.id, `/chat#${socket.conn.id}`);
    assert.deepEqual(socket.handshake.auth, { token: "abc", lang: "en" });
    const event = once(socket as never, "hello");
    client.send('42/chat?token=abc&lang=en,["hello",1]');
    assert.deepEqual(await event, [1]);
  });

  const refusals: readonly [told: string, data: unknown][] = [
    ['44/chat,"not allowed"', undefined],
    ['44/chat,{"code":7}', { code: 7 }],
  ];
  for (const [told, data] of refusals) {
    test(`is refused with the data, or else the message alone: ${told}`, async (context) => {
      const server = await start(context);
      server.io.of("/chat").use((_socket, next) => {
        const error: ExtendedError = new Error("not allowed");
        error.data = data;
        next(error);
      });
      const client = await WireClient.connect(context, server.port, 3);
      await client.next();
      client.send("40/chat,");
      assert.equal(await client.next(), told);
    });
  }

  test("is told of a namespace that there is not", async (context) => {
    const server = await start(context);
    const client = await WireClient.connect(context, server.port, 3);
    await client.next();
    client.send("40/none,");
    assert.equal(await client.next(), '44/none,{"message":"Invalid namespace"}');
  });

  test("is not let in where it is not allowed", async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    const url = `http://127.0.0.1:${server.port}/socket.io/?EIO=3&transport=polling`;
    const answer = await fetch(url);
    assert.equal(answer.status, 400);
    assert.deepEqual(await answer.json(), { code: 5, message: "Unsupported protocol version" });
  });
});
