import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { after, afterEach, before, describe, test } from "node:test";
import { Code, MULTIPLEX_PROTOCOL } from "@sluice/protocol";
import { connectHttp2WebSocket, WebSocketError } from "@sluice/websocket";
import { WebSocket } from "ws";
import { MultiplexClient, until } from "./multiplex-client.ts";
import { converse, startTestGateway, type TestGateway } from "./support.ts";

const echo = (name: string): string => `sluice.test.v1.Echo/${name}`;

const clients: MultiplexClient[] = [];
async function connect(...args: Parameters<typeof MultiplexClient.connect>): Promise<MultiplexClient> {
  const client = await MultiplexClient.connect(...args);
  clients.push(client);
  return client;
}
afterEach(() => {
  for (const { connection } of clients.splice(0)) connection.terminate();
});

/** What `ws` is told of a handshake. */
async function refusal(url: string, options: object): Promise<string> {
  const socket = new WebSocket(url, [MULTIPLEX_PROTOCOL], options);
  const [error] = (await once(socket, "error")) as [Error];
  return error.message;
}

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway({ multiplex: { maxCalls: 100 } });
});
after(() => sluice.close());

async function metadataSeen(
  headers: Record<string, string>,
  metadata: Record<string, string | string[]> = {},
): Promise<Record<string, readonly string[]>> {
  const client = await connect(sluice.ws, { headers });
  const { messages, status } = await client.call({ method: echo("Metadata"), metadata }, [{}]);
  assert.equal(status.code, Code.OK, status.message);
  const seen = messages[0]?.["metadata"] as Record<string, { values: string[] }>;
  return Object.fromEntries(Object.entries(seen).map(([name, { values }]) => [name, values]));
}

describe("metadata", () => {
  test("is that of the call, with what the request for the socket brought", async () => {
    const seen = await metadataSeen(
      { "x-tenant": "blue", cookie: "a=b" },
      { "x-one": "1", "x-many": ["2", "3"], "x-bytes-bin": "AAEC" },
    );
    assert.deepEqual(seen["x-tenant"], ["blue"]);
    assert.deepEqual(seen["cookie"], ["a=b"]);
    assert.deepEqual(seen["x-one"], ["1"]);
    assert.deepEqual(seen["x-many"]?.join(), "2, 3");
    assert.deepEqual(seen["x-bytes-bin"], ["AAEC"]);
    assert.match(seen["x-forwarded-for"]?.[0] ?? "", /127\.0\.0\.1$/);
    for (const name of Object.keys(seen)) assert.doesNotMatch(name, /^(?:sec-websocket-|upgrade|connection)/);
  });

  test("of the socket is not replaced by that of a call, but for what each call has of its own", async () => {
    const seen = await metadataSeen(
      { "x-user": "ada", authorization: "Bearer old" },
      {
        "x-user": "root",
        "x-forwarded-for": "10.0.0.1",
        authorization: "Bearer new",
        "grpc-encoding": "gzip",
        "grpc-timeout": "1S",
        te: "x",
        host: "elsewhere",
      },
    );
    assert.deepEqual(seen["x-user"], ["ada"]);
    assert.deepEqual(seen["authorization"], ["Bearer new"]);
    assert.deepEqual(seen["x-forwarded-for"], ["127.0.0.1"]);
    for (const name of ["grpc-encoding", "grpc-timeout", "host"]) assert.equal(seen[name], undefined, name);
  });

  test("that only requests have is set by no call, and by no subprotocol", async () => {
    const names = [
      "x-forwarded-user",
      "x-forwarded-proto",
      "forwarded",
      "x-real-ip",
      "cookie",
      "origin",
      "sec-a",
      "sluice-user",
    ];
    const seen = await metadataSeen(
      {},
      Object.fromEntries([...names, "x-own"].map((name) => [name, "root"])),
    );
    const offered = ["x-own", ...names].map((name) => `Grpc-Metadata-${name}+root`);
    const url = `${sluice.ws}/${echo("Metadata")}`;
    const { messages } = await converse(url, ["{}"], { protocols: offered });
    const { metadata } = messages[0] as { metadata: Record<string, unknown> };
    for (const each of [seen, metadata]) {
      assert.ok(each["x-own"] !== undefined);
      for (const name of names) assert.equal(each[name], undefined, name);
    }
  });

  test("has the token of a page, from a cookie", async () => {
    assert.deepEqual((await metadataSeen({ cookie: "a=b; token=t1" }))["authorization"], ["Bearer t1"]);
  });

  test("of the answer comes before the first message, and by itself", async () => {
    const client = await connect(sluice.ws);
    const { headers, trailers } = await client.call({ method: echo("Metadata") }, [
      { headers: { "x-head": "1", "x-head-bin": "AAEC" }, trailers: { "x-trail": "2" } },
    ]);
    assert.equal(headers?.["x-head"], "1");
    assert.equal(headers?.["x-head-bin"], "AAEC");
    assert.equal(trailers["x-trail"], "2");
  });
});

describe("what is called", () => {
  test("may be a service of the gateway itself", async () => {
    const client = await connect(sluice.ws);
    const { messages } = await client.call({ method: "grpc.health.v1.Health/Check" }, [{}]);
    assert.deepEqual(messages, [{ status: "SERVING" }]);
    const reflection = await client.call(
      { method: "grpc.reflection.v1.ServerReflection/ServerReflectionInfo" },
      [],
    );
    assert.equal(reflection.status.code, Code.UNIMPLEMENTED);
  });

  test("and is not there is UNIMPLEMENTED", async () => {
    const client = await connect(sluice.ws);
    const { status } = await client.call({ method: "no.Such/Method" }, [{}]);
    assert.deepEqual(
      [status.code, status.message],
      [Code.UNIMPLEMENTED, "there is no method /no.Such/Method"],
    );
  });

  test("takes JSON only as its message has it", async () => {
    const client = await connect(sluice.ws);
    const { status } = await client.call({ method: echo("Say") }, [{ text: 5 }]);
    assert.equal(status.code, Code.INVALID_ARGUMENT);
    const open = client.open({ method: echo("Say"), encoding: "json" });
    open.call.send(Buffer.from("{]"));
    assert.equal((await open.ended).code, Code.INVALID_ARGUMENT);
  });
});

test("a hundred calls go on one socket at once, and each has its own answers", async () => {
  const client = await connect(sluice.ws);
  const { started } = sluice.echo.calls;
  const calls = Array.from({ length: 100 }, () =>
    client.open({ method: echo("Converse"), encoding: "json" }),
  );
  for (const [index, { call }] of calls.entries())
    for (let each = 0; each < 10; each++) call.send(Buffer.from(`{"text":"${index}-${each}"}`));
  await sluice.echo.calls.until((log) => log.started === started + 100 && log.open === 100);
  assert.equal(sluice.gateway.counts.multiplexCalls, 100);
  for (const { call } of calls) call.halfClose();
  for (const [index, open] of calls.entries()) {
    assert.equal((await open.ended).code, Code.OK);
    const texts = open.messages.map(
      (bytes) => (JSON.parse(Buffer.from(bytes).toString()) as { text: string }).text,
    );
    assert.deepEqual(
      texts,
      Array.from({ length: 10 }, (_, each) => `${index}-${each}`),
    );
  }
  await until(() => sluice.gateway.counts.multiplexCalls === 0, "no call is open");
});

describe("a call ends", () => {
  test("when its client cancels it", async () => {
    const client = await connect(sluice.ws);
    const { cancelled } = sluice.echo.calls;
    const open = client.open({ method: echo("Repeat"), encoding: "json" });
    open.call.send(Buffer.from('{"text":"endless"}'));
    open.call.halfClose();
    await until(() => open.messages.length > 3, "messages come");
    open.call.cancel();
    assert.equal((await open.ended).code, Code.CANCELLED);
    await sluice.echo.calls.until((calls) => calls.cancelled === cancelled + 1);
    assert.deepEqual((await client.call({ method: echo("Say") }, [{ text: "on" }])).messages, [
      { text: "on" },
    ]);
  });

  test("when its socket is lost", async () => {
    const client = await connect(sluice.ws);
    const { cancelled, started } = sluice.echo.calls;
    const calls = [1, 2, 3].map(() => client.open({ method: echo("Sleep"), encoding: "json" }));
    for (const { call } of calls) call.send(Buffer.from("{}"));
    await sluice.echo.calls.until((log) => log.started === started + 3);
    client.connection.terminate();
    for (const { ended } of calls) assert.equal((await ended).code, Code.UNAVAILABLE);
    await sluice.echo.calls.until((log) => log.cancelled === cancelled + 3);
    await until(() => sluice.gateway.counts.webSockets === 0, "no socket is open");
  });

  test("when its backend is lost", async () => {
    const own = await startTestGateway();
    const client = await connect(own.ws);
    const open = client.open({ method: echo("Sleep"), encoding: "json" });
    open.call.send(Buffer.from("{}"));
    await own.echo.calls.until((log) => log.open === 1);
    own.echo.reset();
    assert.equal((await open.ended).code, Code.UNAVAILABLE);
    await own.close();
  });

  test("when the client shows no life any more", async () => {
    const own = await startTestGateway({ heartbeat: { intervalMs: 20, patienceMs: 20 } });
    const silent = new WebSocket(own.ws, [MULTIPLEX_PROTOCOL], { autoPong: false });
    const alive = await connect(own.ws);
    const [code] = (await once(silent, "close")) as [number];
    assert.equal(code, 1006);
    assert.deepEqual((await alive.call({ method: echo("Say") }, [{ text: "a" }])).messages, [{ text: "a" }]);
    await own.close();
  });

  test("at the longest deadline that the gateway allows", async () => {
    const own = await startTestGateway({ deadlines: { maxTimeoutMs: 30 } });
    const client = await connect(own.ws);
    const { status } = await client.call({ method: echo("Sleep"), timeout: 60_000 }, [{}]);
    assert.equal(status.code, Code.DEADLINE_EXCEEDED);
    assert.match(status.message, /30 ms/);
    await own.close();
  });
});

describe("the limits of a socket", () => {
  test("are told to the client, which keeps to them", async () => {
    const own = await startTestGateway({
      multiplex: { maxCalls: 2, maxHeaderBytes: 1024 },
      maxMessageBytes: 100,
    });
    const client = await connect(own.ws);
    const large = await client.call({ method: echo("Say") }, [{ text: "x".repeat(100) }]);
    assert.equal(large.status.code, Code.RESOURCE_EXHAUSTED);
    const wide = await client.call({ method: echo("Say"), metadata: { "x-a": "x".repeat(2000) } }, [{}]);
    assert.equal(wide.status.code, Code.RESOURCE_EXHAUSTED);
    const calls = [1, 2, 3].map(() => client.open({ method: echo("Sleep"), encoding: "json" }));
    for (const { call } of calls) call.send(Buffer.from("{}"));
    await own.echo.calls.until((log) => log.open === 2);
    assert.equal(own.gateway.counts.multiplexCalls, 2);
    calls[0]?.call.cancel();
    await own.echo.calls.until((log) => log.open === 2 && log.cancelled === 1);
    await own.close();
  });

  test("bound how many calls the client abandons in a second, and no others", async () => {
    const own = await startTestGateway({ multiplex: { maxAbandonedCalls: 10 } });
    const client = await connect(own.ws);
    for (let each = 0; each < 50; each++) {
      assert.equal((await client.call({ method: echo("Say") }, [{}])).status.code, Code.OK);
    }
    const calls = Array.from({ length: 30 }, () => client.open({ method: echo("Converse") }));
    await own.echo.calls.until((log) => log.open === 30);
    for (const { call } of calls) call.cancel();
    const { status } = await client.call({ method: echo("Say") }, [{}]);
    assert.equal(status.code, Code.RESOURCE_EXHAUSTED);
    assert.match(status.message, /more than 10 calls in a second; wait/);
    const other = await connect(own.ws);
    assert.equal((await other.call({ method: echo("Say") }, [{}])).status.code, Code.OK);
    await own.close();
  });

  test("hold for what the backend answers, where the client says so", async () => {
    const client = await connect(sluice.ws, { limits: { maxMessageBytes: 1000, maxHeaderBytes: 1024 } });
    const large = await client.call({ method: echo("Large") }, [{ size: 2000 }]);
    assert.equal(large.status.code, Code.RESOURCE_EXHAUSTED);
    const headers = { "x-wide": "x".repeat(2000) };
    const wide = await client.call({ method: echo("Metadata") }, [{ headers }]);
    assert.equal(wide.status.code, Code.RESOURCE_EXHAUSTED);
  });
});

describe("the handshake", () => {
  test("is taken on any path, beside other subprotocols", async () => {
    const socket = new WebSocket(`${sluice.ws}/v1/say?x=%zz`, ["other", MULTIPLEX_PROTOCOL]);
    await once(socket, "open");
    assert.equal(socket.protocol, MULTIPLEX_PROTOCOL);
    socket.close();
    await once(socket, "close");
  });

  test("of a page of another origin is refused, unless that is allowed", async () => {
    assert.match(await refusal(sluice.ws, { origin: "https://evil.example" }), /403/);
    const own = await startTestGateway({ origin: ["https://app.example"] });
    const client = await connect(own.ws, { headers: { origin: "https://app.example" } });
    assert.deepEqual((await client.call({ method: echo("Say") }, [{}])).messages, [{}]);
    assert.match(await refusal(own.ws, { origin: "https://evil.example" }), /403/);
    await own.close();
  });
});

describe("over HTTP/2", () => {
  let session: ClientHttp2Session;
  before(() => {
    session = connectHttp2(sluice.http);
  });
  after(() => session.close());

  test("calls are made beside other requests of the session", async () => {
    const client = await connect(sluice.ws, {
      connect: (handlers) =>
        connectHttp2WebSocket(session, "/", {
          handlers,
          protocols: [MULTIPLEX_PROTOCOL],
          headers: { "x-tenant": "blue" },
        }),
    });
    assert.deepEqual((await client.call({ method: echo("Converse") }, [{ text: "a" }])).messages, [
      { text: "a" },
    ]);
    const large = await client.call({ method: echo("Large") }, [{ size: 2_000_000 }]);
    assert.equal(JSON.stringify(large.messages[0]).length, 2_666_679);
    const { messages } = await client.call({ method: echo("Metadata") }, [{}]);
    const seen = messages[0]?.["metadata"] as Record<string, { values: string[] }>;
    assert.deepEqual(seen["x-tenant"]?.values, ["blue"]);
    assert.match(seen["x-forwarded-for"]?.values[0] ?? "", /127\.0\.0\.1$/);
    assert.match(seen["x-forwarded-host"]?.values[0] ?? "", /^127\.0\.0\.1:/);
    const request = session.request({ ":path": "/v1/say/x" });
    request.resume();
    const [head] = (await once(request, "response")) as [Record<string, unknown>];
    assert.equal(head[":status"], 200);
    await client.close();
  });

  test("a stream that is reset cancels its calls", async () => {
    const client = await connect(sluice.ws, {
      connect: (handlers) =>
        connectHttp2WebSocket(session, "/", { handlers, protocols: [MULTIPLEX_PROTOCOL] }),
    });
    const { cancelled, open } = sluice.echo.calls;
    const call = client.open({ method: echo("Sleep"), encoding: "json" });
    call.call.send(Buffer.from("{}"));
    await sluice.echo.calls.until((log) => log.open === open + 1);
    client.connection.terminate();
    await sluice.echo.calls.until((log) => log.cancelled === cancelled + 1);
  });

  test("the URLs of REST take WebSockets too, and refuse with the status of HTTP", async () => {
    const messages: string[] = [];
    const closed = new Promise<number>((resolve, reject) => {
      connectHttp2WebSocket(session, "/v1/say/hello", {
        handlers: {
          message: (_connection, data) => messages.push(data.toString()),
          close: (_connection, { code }) => resolve(code),
        },
      }).catch(reject);
    });
    assert.equal(await closed, 1000);
    assert.deepEqual(messages, ['{"text":"hello"}']);
    await assert.rejects(
      connectHttp2WebSocket(session, "/nowhere"),
      (error) => error instanceof WebSocketError && /404/.test(error.message),
    );
    await assert.rejects(
      connectHttp2WebSocket(session, "/", {
        protocols: [MULTIPLEX_PROTOCOL],
        headers: { origin: "https://evil.example" },
      }),
      /403/,
    );
  });

  test("another CONNECT is refused", async () => {
    const request = session.request({ ":method": "CONNECT", ":authority": "example.com:80" });
    request.resume();
    const [head] = (await once(request, "response")) as [Record<string, unknown>];
    assert.equal(head[":status"], 405);
    request.close();
  });
});

describe("a gateway that shuts down", () => {
  test("lets calls end, takes no more, and closes each socket with its last call", async () => {
    const own = await startTestGateway();
    let told: string | undefined;
    const client = await connect(own.ws, { goAway: (reason) => (told = reason) });
    const idle = await connect(own.ws);
    const open = client.open({ method: echo("Converse"), encoding: "json" });
    open.call.send(Buffer.from('{"text":"before"}'));
    await until(() => open.messages.length === 1, "an answer comes");
    const closing = own.gateway.close(60_000);
    await until(() => told !== undefined, "the client is told");
    assert.equal(told, "the gateway is shutting down");
    assert.deepEqual((await idle.closed).code, 1000);
    const late = await client.call({ method: echo("Say") }, [{}]);
    assert.deepEqual([late.status.code, late.status.unprocessed], [Code.UNAVAILABLE, true]);
    open.call.send(Buffer.from('{"text":"after"}'));
    open.call.halfClose();
    assert.equal((await open.ended).code, Code.OK);
    assert.equal(open.messages.length, 2);
    assert.equal((await client.closed).code, 1000);
    await closing;
    await own.close();
  });

  test("cancels what has not ended within the grace", async () => {
    const own = await startTestGateway();
    const client = await connect(own.ws);
    const open = client.open({ method: echo("Sleep"), encoding: "json" });
    open.call.send(Buffer.from("{}"));
    await own.echo.calls.until((log) => log.open === 1);
    await own.gateway.close(50);
    assert.equal((await open.ended).code, Code.UNAVAILABLE);
    assert.deepEqual(await client.closed, { code: 1001, reason: "the gateway is shutting down" });
    await own.echo.calls.until((log) => log.cancelled === 1);
    await until(() => own.gateway.counts.webSockets === 0, "no socket is open");
    assert.equal(own.gateway.counts.multiplexCalls, 0);
    await own.close();
  });
});

test("nothing is left when all is done", async () => {
  await sluice.echo.calls.until(({ open }) => open === 0);
  await until(() => sluice.gateway.counts.webSockets === 0, "no socket is open");
  assert.equal(sluice.gateway.counts.multiplexCalls, 0);
});
