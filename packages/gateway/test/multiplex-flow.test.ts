import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test, type TestContext } from "node:test";
import { Code } from "@sluice/protocol";
import { startEchoServer, type CallRecord, type EchoServer } from "@sluice/testkit";
import { startCommand, type RunningCommand } from "./command.ts";
import { MultiplexClient, until, type OpenCall } from "./multiplex-client.ts";

const echo = (name: string): string => `sluice.test.v1.Echo/${name}`;
const mebibyte = 1024 * 1024;
const hundredMegabytes = 100_000_000;

let server: EchoServer;
let gateway: RunningCommand;
let url: string;
before(async () => {
  server = await startEchoServer();
  const most = String(128 * mebibyte);
  const flags = ["--port", "0", "--log-level", "silent", "--max-message", most, "--max-reply", most];
  gateway = startCommand("serve", "--upstream", server.address, ...flags);
  url = (await gateway.until(/ is at (http\S+)/))[1]!.replace("http", "ws");
});
after(async () => {
  gateway.process.kill("SIGTERM");
  await gateway.ended;
  await server.close();
});

/** Resident memory of the gateway, a process of its own, in MiB. */
function gatewayMemory(): number {
  const status = readFileSync(`/proc/${gateway.process.pid}/status`, "utf8");
  return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) / 1024;
}

function lastRecord(method: string): CallRecord {
  const record = server.calls.records.findLast(({ path }) => path.endsWith(`/${method}`));
  assert.ok(record !== undefined);
  return record;
}

/** Makes unary calls, one after another, so that everything that can move has moved. */
async function say(client: MultiplexClient, times: number): Promise<number[]> {
  const delays: number[] = [];
  for (let each = 0; each < times; each++) {
    const begun = performance.now();
    const { status } = await client.call({ method: echo("Say") }, [{ text: "x" }]);
    assert.equal(status.code, Code.OK, status.message);
    delays.push(performance.now() - begun);
  }
  return delays;
}

/** Resolves when a number has stayed the same for 200 unary calls. */
async function settled(client: MultiplexClient, value: () => number): Promise<number> {
  for (;;) {
    const seen = value();
    await say(client, 200);
    if (value() === seen) return seen;
  }
}

function openSend(client: MultiplexClient, size: number): OpenCall {
  const open = client.open({ method: echo("Send"), encoding: "json" });
  open.call.send(Buffer.from(JSON.stringify({ size })));
  open.call.halfClose();
  return open;
}

describe("a browser that reads slowly stops the gRPC server", () => {
  test("by the credit of its call, while another call goes on", async (t: TestContext) => {
    const client = await MultiplexClient.connect(url);
    await say(client, 100);
    const idle = gatewayMemory();
    const open = openSend(client, 1000);
    let received = 0;
    open.onMessage = () => received++;
    await until(() => received > 1000, "messages come");
    open.call.pause();
    const sent = await settled(client, () => lastRecord("Send").sent);
    const waiting = (sent - received) * 1000;
    const held = gatewayMemory() - idle;
    t.diagnostic(
      `the server stopped ${Math.round(waiting / 1024)} KiB ahead; the gateway's memory grew by ${held.toFixed(1)} MiB`,
    );
    // The credit of the call, what the gateway lets wait, the windows of HTTP/2, and what grpc-js has written.
    assert.ok(waiting < 600 * 1024, `${waiting} bytes are under way`);
    assert.ok(held < 40, `${held} MiB`);
    open.call.resume();
    await until(() => received > sent + 1000, "messages come again");
    open.call.cancel();
    await server.calls.until((calls) => calls.open === 0);
    await client.close();
  });

  test("by its socket, and the gateway's memory stays flat", async (t: TestContext) => {
    const slow = await MultiplexClient.connect(url);
    const other = await MultiplexClient.connect(url);
    await say(other, 100);
    const idle = gatewayMemory();
    let received = 0;
    const opens = Array.from({ length: 20 }, () => openSend(slow, 10_000));
    for (const open of opens) open.onMessage = () => received++;
    await until(() => received > 200, "messages come");
    slow.connection.pause();
    const total = (): number =>
      server.calls.records
        .filter(({ path, state }) => path.endsWith("/Send") && state === "open")
        .reduce((sum, { sent }) => sum + sent, 0);
    const sent = await settled(other, total);
    const held = gatewayMemory() - idle;
    const waiting = (sent - received) * 10_000;
    t.diagnostic(
      `20 endless streams: the server stopped ${(waiting / mebibyte).toFixed(1)} MiB ahead, of which the kernels hold ` +
        `most; the gateway's memory grew by ${held.toFixed(1)} MiB`,
    );
    assert.ok(waiting < 24 * mebibyte, `${waiting} bytes are under way`);
    assert.ok(held < 60, `${held} MiB`);
    slow.connection.resume();
    await until(() => received > sent, "messages come again");
    slow.connection.terminate();
    await server.calls.until((calls) => calls.open === 0);
    await other.close();
  });
});

test("a gRPC server that reads slowly stops the browser", async (t: TestContext) => {
  const client = await MultiplexClient.connect(url);
  await say(client, 100);
  const idle = gatewayMemory();
  // The server stops reading when its answers are not read.
  const open = client.open({ method: echo("Converse"), encoding: "json" });
  open.call.pause();
  const text = JSON.stringify({ text: "x".repeat(1000) });
  let accepted = 0;
  const send = (): void => {
    do accepted++;
    while (open.call.send(Buffer.from(text)));
  };
  open.onDrain = send;
  send();
  const sent = await settled(client, () => accepted);
  const held = gatewayMemory() - idle;
  const waiting = (sent - lastRecord("Converse").received) * 1000;
  t.diagnostic(
    `the browser stopped ${Math.round(waiting / 1024)} KiB ahead; the gateway's memory grew by ${held.toFixed(1)} MiB`,
  );
  assert.ok(waiting < 600 * 1024, `${waiting} bytes are under way`);
  assert.ok(held < 40, `${held} MiB`);
  open.onDrain = () => open.call.halfClose();
  let received = open.messages.length;
  open.onMessage = () => received++;
  open.call.resume();
  assert.equal((await open.ended).code, Code.OK);
  assert.equal(received, sent);
  await client.close();
});

/** The delays of unary calls while `work` goes on, and how long that takes. */
async function delaysDuring(client: MultiplexClient, work: Promise<unknown>): Promise<number[]> {
  const delays: number[] = [];
  const state = { isOver: false };
  const over = work.then(() => (state.isOver = true));
  while (!state.isOver) delays.push(...(await say(client, 1)));
  await over;
  return delays;
}

function tell(t: TestContext, way: string, delays: number[], ms: number): void {
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(1);
  t.diagnostic(
    `100 MB ${way} in ${Math.round(ms)} ms; ${delays.length} unary calls beside it took ` +
      `${at(0.5)} ms (median), ${at(0.99)} ms (p99), ${at(1)} ms (most)`,
  );
  assert.ok(delays.length > 20, `${delays.length} calls were made`);
}

describe("a message of 100 MB holds up no other call", () => {
  test("on its way up", async (t: TestContext) => {
    const client = await MultiplexClient.connect(url);
    await say(client, 100);
    const head = Buffer.from([0x0a, ...varint(hundredMegabytes)]);
    const message = Buffer.concat([head, Buffer.alloc(hundredMegabytes, "x")]);
    const begun = performance.now();
    const open = client.open({ method: echo("Receive") });
    open.call.send(message);
    open.call.halfClose();
    const delays = await delaysDuring(client, open.ended);
    assert.equal((await open.ended).code, Code.OK, (await open.ended).message);
    assert.deepEqual([...open.messages[0]!], [0x08, 1, 0x10, ...varint(hundredMegabytes)]);
    tell(t, "up", delays, performance.now() - begun);
    await client.close();
  });

  test("on its way down", async (t: TestContext) => {
    const limits = { maxMessageBytes: 128 * mebibyte };
    const client = await MultiplexClient.connect(url, { limits });
    await say(client, 100);
    const begun = performance.now();
    const open = client.open({ method: echo("Large") });
    let bytes = 0;
    open.onMessage = (message) => (bytes = message.length);
    open.call.send(Buffer.from([0x08, ...varint(hundredMegabytes)]));
    open.call.halfClose();
    const delays = await delaysDuring(client, open.ended);
    assert.equal((await open.ended).code, Code.OK, (await open.ended).message);
    assert.equal(bytes, hundredMegabytes + 5);
    tell(t, "down", delays, performance.now() - begun);
    await client.close();
  });
});

/** A number as protobuf writes it. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
