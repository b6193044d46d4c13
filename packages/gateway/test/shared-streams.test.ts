import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, describe, test } from "node:test";
import { Code } from "@sluice/protocol";
import { startEchoServer } from "@sluice/testkit";
import { WebSocket } from "ws";
import { runCommand, startCommand } from "./command.ts";
import { MultiplexClient, until, type OpenCall } from "./multiplex-client.ts";
import { send, startTestGateway, type TestGateway } from "./support.ts";

const echo = (name: string): string => `sluice.test.v1.Echo/${name}`;
const request = { text: "tick", intervalMs: 2 };

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway({
    share: new Map([
      [`/${echo("Repeat")}`, { per: ["authorization"], replay: true }],
      [`/${echo("Send")}`, { maxWaitingBytes: 256 * 1024 }],
      [`/${echo("FailLater")}`, {}],
    ]),
  });
});
after(() => sluice.close());
afterEach(async () => {
  await sluice.echo.calls.until(({ open }) => open === 0);
  await until(() => sluice.gateway.counts.shared.clients === 0, "no client is left");
  assert.equal(sluice.gateway.counts.shared.streams, 0);
});

/** Opens a server-streaming call with JSON. */
function stream(
  client: MultiplexClient,
  method: string,
  json: object,
  metadata: Record<string, string> = {},
): OpenCall {
  const open = client.open({ method: echo(method), encoding: "json", metadata });
  open.call.send(Buffer.from(JSON.stringify(json)));
  open.call.halfClose();
  return open;
}

interface Tick {
  readonly index?: number;
}

function indexes(messages: readonly Uint8Array[]): number[] {
  return messages.map((bytes) => (JSON.parse(Buffer.from(bytes).toString()) as Tick).index ?? 0);
}

/** Whether numbers follow each other without a gap. */
function isGapless(numbers: readonly number[]): boolean {
  return numbers.every((each, at) => at === 0 || each === (numbers[at - 1] ?? 0) + 1);
}

describe("a stream that is shared", () => {
  test("is opened once for clients of all dialects, and ends with the last of them", async () => {
    const { started } = sluice.echo.calls;
    const client = await MultiplexClient.connect(sluice.ws);
    const [one, two] = [stream(client, "Repeat", request), stream(client, "Repeat", request)];
    await until(() => one.messages.length > 2 && two.messages.length > 2, "both hear of it");

    const controller = new AbortController();
    const response = await fetch(`${sluice.http}/v1/repeat/tick?intervalMs=2`, { signal: controller.signal });
    const reader = response.body!.getReader();
    const line = Buffer.from((await reader.read()).value!).toString();
    assert.match(line, /^\{"result":\{"text":"tick","index":\d+\}\}\n/);

    const socket = new WebSocket(`${sluice.ws}/v1/repeat/tick?intervalMs=2`);
    const [data] = (await once(socket, "message")) as [Buffer];
    assert.match(data.toString(), /^\{"result":\{"text":"tick"/);

    assert.equal(sluice.echo.calls.started, started + 1);
    assert.deepEqual(sluice.gateway.counts.shared, { streams: 1, clients: 4 });
    controller.abort();
    socket.close();
    one.call.cancel();
    await until(() => sluice.gateway.counts.shared.clients === 1, "three have left");
    const heard = two.messages.length;
    await until(() => two.messages.length > heard, "it goes on");
    assert.ok(isGapless(indexes(two.messages)));
    assert.equal(sluice.echo.calls.open, 1);
    two.call.cancel();
    await sluice.echo.calls.until(({ open }) => open === 0);
    await client.close();
  });

  test("gives the latest message to who comes late", async () => {
    const client = await MultiplexClient.connect(sluice.ws);
    const slow = { text: "rare", intervalMs: 60_000 };
    const first = stream(client, "Repeat", slow);
    await until(() => first.messages.length === 1, "the first hears of it");
    const late = stream(client, "Repeat", slow);
    await until(() => late.messages.length === 1, "the late one hears of it");
    assert.deepEqual(indexes(late.messages), [0]);
    await client.close();
  });

  test("is another one for another identity, which the backend sees", async () => {
    const { started } = sluice.echo.calls;
    const client = await MultiplexClient.connect(sluice.ws);
    const ada = [1, 2].map(() => stream(client, "Repeat", request, { authorization: "Bearer ada" }));
    const bob = stream(client, "Repeat", request, { authorization: "Bearer bob" });
    await until(() => [...ada, bob].every(({ messages }) => messages.length > 0), "all hear of it");
    assert.equal(sluice.echo.calls.started, started + 2);
    assert.deepEqual(sluice.gateway.counts.shared, { streams: 2, clients: 3 });
    await client.close();
  });

  test("that fails is told to all, with its trailers", async () => {
    const { started } = sluice.echo.calls;
    const client = await MultiplexClient.connect(sluice.ws);
    const failing = { status: { code: 10, message: "so far" }, trailers: { "x-why": "so" }, after: 2 };
    const calls = [1, 2, 3].map(() => stream(client, "FailLater", failing));
    for (const open of calls) {
      const { code, message } = await open.ended;
      assert.deepEqual([code, message], [Code.ABORTED, "so far"]);
      assert.equal(open.trailers["x-why"], "so");
      assert.equal(open.messages.length, 2);
    }
    assert.equal(sluice.echo.calls.started, started + 1);
    await client.close();
  });

  test("that loses its backend ends for all with UNAVAILABLE", async () => {
    const own = await startTestGateway({ share: new Map([[`/${echo("Repeat")}`, {}]]) });
    const client = await MultiplexClient.connect(own.ws);
    const calls = [1, 2].map(() => stream(client, "Repeat", request));
    await until(() => calls.every(({ messages }) => messages.length > 0), "both hear of it");
    own.echo.reset();
    for (const { ended } of calls) assert.equal((await ended).code, Code.UNAVAILABLE);
    assert.deepEqual(own.gateway.counts.shared, { streams: 0, clients: 0 });
    await client.close();
    await own.close();
  });

  test("cuts off a client that does not read, and holds up nobody", async (t) => {
    const slow = await MultiplexClient.connect(sluice.ws);
    const quick = await MultiplexClient.connect(sluice.ws);
    const sending = { size: 1000, count: 20_000 };
    const [paused, other] = [stream(slow, "Send", sending), stream(quick, "Send", sending)];
    paused.call.pause();
    let received = 0;
    other.onMessage = () => received++;
    assert.equal((await other.ended).code, Code.OK);
    assert.equal(received, 20_000);
    // The status is behind what the client had not read.
    paused.call.resume();
    const { code, message } = await paused.ended;
    assert.equal(code, Code.RESOURCE_EXHAUSTED);
    assert.match(message, /more than 262144 bytes of a shared stream wait/);
    t.diagnostic(
      `the slow client heard ${paused.messages.length} messages of 1,000 bytes before it was cut off`,
    );
    await slow.close();
    await quick.close();
  });

  test("leaves calls alone that are not shared", async () => {
    const { json } = await send(`${sluice.http}/v1/say/hello`);
    assert.deepEqual(json, { text: "hello" });
  });
});

describe("sluice serve --share", () => {
  test("shares what it names, in plain words", async () => {
    const server = await startEchoServer();
    const flags = ["--share", `${echo("Repeat")},replay,latest,per=authorization`, "--share", echo("Say")];
    const command = startCommand("serve", "--upstream", server.address, "--port", "0", ...flags);
    const url = (await command.until(/ is at (http\S+)/))[1]!.replace("http", "ws");
    await command.until(/Echo\/Say is to be shared, but only methods that stream replies alone can be/);
    const { started } = server.calls;
    const client = await MultiplexClient.connect(url);
    const calls = [1, 2].map(() => stream(client, "Repeat", request));
    await until(() => calls.every(({ messages }) => messages.length > 0), "both hear of it");
    assert.equal(server.calls.started, started + 1);
    await client.close();
    command.process.kill("SIGTERM");
    const { stderr } = await command.ended;
    assert.doesNotMatch(stderr, /no backend has it/, "while a backend is not known, nobody can tell");
    await server.close();
  });

  test("says what it does not understand", async () => {
    for (const [text, expected] of [
      ["a.B/C,per=authorization a.B/C", /a\.B\/C is shared already; give all in one\./],
      ["a.B/C,per=Host", /Host is never metadata, so it cannot tell clients apart\./],
      ["Watch", /Give a method, as in prices\.v1\.Prices\/Watch,replay\./],
      ["a.B/C,often", /"often" is not per=METADATA, replay or latest\./],
    ] as const) {
      const flags = text.split(" ").flatMap((each) => ["--share", each]);
      const { code, stderr } = await runCommand("serve", "--upstream", "localhost:1", ...flags);
      assert.equal(code, 2);
      assert.match(stderr, expected);
    }
  });
});
