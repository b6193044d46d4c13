import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { startFaultProxy } from "@sluice/testkit";

/** A client and the server's end of its connection, with a proxy between them. */
async function start(context: TestContext) {
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const proxy = await startFaultProxy(`127.0.0.1:${(listener.address() as AddressInfo).port}`);
  const client = connect({ port: proxy.port, allowHalfOpen: true });
  const [server] = (await once(listener, "connection")) as [Socket];
  client.on("error", () => {});
  server.on("error", () => {});
  context.after(async () => {
    client.destroy();
    server.destroy();
    listener.close();
    await proxy.close();
  });
  return { proxy, client, server };
}

async function read(socket: Socket, bytes: number): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for (let left = bytes; left > 0;) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    chunks.push(chunk);
    left -= chunk.length;
  }
  return chunks;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("a proxy without a fault passes bytes and the end of each side", async (t) => {
  const { proxy, client, server } = await start(t);
  client.end("question");
  assert.equal(Buffer.concat(await read(server, 8)).toString(), "question");
  server.end("answer");
  assert.equal(Buffer.concat(await read(client, 6)).toString(), "answer");
  await once(client, "close");
  assert.deepEqual({ ...proxy.connections }, { open: 0, accepted: 1 });
});

test("a proxy that stalls lets nothing pass until it goes on, and loses nothing", async (t) => {
  const { proxy, client, server } = await start(t);
  let received = 0;
  server.on("data", (chunk: Buffer) => (received += chunk.length));
  proxy.set({ stall: true });
  const large = Buffer.alloc(32 * 1024 * 1024);
  assert.equal(client.write(large), false);
  await turns(100);
  assert.ok(received < 1024 * 1024);
  assert.ok(client.writableLength > 0);
  proxy.set({});
  while (received < large.length) await once(server, "data");
  assert.equal(received, large.length);
});

test("a proxy that splits delivers pieces of the size asked for", async (t) => {
  const { proxy, client, server } = await start(t);
  proxy.set({ pieceBytes: 1 });
  client.write("abcde");
  const chunks = await read(server, 5);
  assert.equal(Buffer.concat(chunks).toString(), "abcde");
  assert.ok(chunks.length > 1);
});

test("a proxy with latency is late, and keeps the order", async (t) => {
  const { proxy, client, server } = await start(t);
  proxy.set({ latencyMs: 40 });
  const before = performance.now();
  client.write("late");
  client.end(" too");
  assert.equal(Buffer.concat(await read(server, 8)).toString(), "late too");
  assert.ok(performance.now() - before >= 39);
});

test("a proxy that resets cuts both sides", async (t) => {
  const { proxy, client, server } = await start(t);
  const errors = Promise.all([client, server].map((socket) => once(socket, "error")));
  proxy.reset();
  for (const [error] of await errors) assert.equal((error as NodeJS.ErrnoException).code, "ECONNRESET");
});

test("a proxy passes a reset on", async (t) => {
  const { client, server } = await start(t);
  client.resetAndDestroy();
  const [error] = (await once(server, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
});

test("a half-open proxy tells neither side that the other has gone", async (t) => {
  const { proxy, client, server } = await start(t);
  proxy.set({ halfOpen: true });
  let ended = false;
  server.on("end", () => (ended = true));
  client.write("last words");
  await read(server, 10);
  client.destroy();
  await once(client, "close");
  await turns(100);
  assert.equal(ended, false);
  assert.equal(server.writable, true);
});
