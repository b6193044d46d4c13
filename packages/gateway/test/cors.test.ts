import assert from "node:assert/strict";
import { request } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { after, before, describe, test } from "node:test";
import { rawRequest } from "./raw-http2.ts";
import { runCommand } from "./command.ts";
import { MultiplexClient } from "./multiplex-client.ts";
import { converse, send, startTestGateway, type TestGateway } from "./support.ts";

const page = "https://app.example.com";
const metadataUrl = "/sluice.test.v1.Echo/Metadata";

/** Asks with headers that `fetch` would not let through; resolves with the head of the answer. */
async function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body = "",
): Promise<IncomingMessage> {
  const asked = request({ host: "127.0.0.1", port, method, path, headers });
  asked.end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response;
}

const preflight = {
  origin: page,
  "access-control-request-method": "POST",
  "access-control-request-headers": "content-type,x-grpc-web,authorization",
};

const connectJson = {
  origin: page,
  "content-type": "application/json",
  "connect-protocol-version": "1",
};

describe("a gateway for the pages of one origin", () => {
  let sluice: TestGateway;
  before(async () => {
    sluice = await startTestGateway({ origin: [page] });
  });
  after(() => sluice.close());

  test("permits what they ask for", async () => {
    const { statusCode, headers } = await ask(sluice.port, "OPTIONS", metadataUrl, preflight);
    assert.equal(statusCode, 204);
    assert.equal(headers["access-control-allow-origin"], page);
    assert.equal(headers["access-control-allow-credentials"], "true");
    assert.match(headers["access-control-allow-methods"] ?? "", /POST/);
    assert.equal(headers["access-control-allow-headers"], "content-type,x-grpc-web,authorization");
    assert.equal(headers["access-control-max-age"], "7200");
    assert.equal(headers["vary"], "origin");
  });

  test("exposes the status, and the metadata of each call", async () => {
    const body = JSON.stringify({ headers: { "x-head": "1" }, trailers: { "x-trail": "2" } });
    const { statusCode, headers } = await ask(sluice.port, "POST", metadataUrl, connectJson, body);
    assert.equal(statusCode, 200);
    assert.equal(headers["access-control-allow-origin"], page);
    const exposed = (headers["access-control-expose-headers"] ?? "").split(", ");
    for (const name of [
      "grpc-status",
      "grpc-message",
      "grpc-status-details-bin",
      "x-head",
      "trailer-x-trail",
    ]) {
      assert.ok(exposed.includes(name), `${name} is among ${exposed.join()}`);
    }
  });

  test("lets them read REST as well", async () => {
    const { headers } = await ask(sluice.port, "GET", "/v1/say/hello", { origin: page });
    assert.equal(headers["access-control-allow-origin"], page);
  });

  test("gives pages of other origins nothing", async () => {
    const other = { ...preflight, origin: "https://evil.example.com" };
    const refused = await ask(sluice.port, "OPTIONS", metadataUrl, other);
    assert.equal(refused.headers["access-control-allow-origin"], undefined);
    assert.equal(refused.headers["access-control-allow-headers"], undefined);
    const read = await ask(sluice.port, "GET", "/v1/say/hello", { origin: "https://evil.example.com" });
    assert.equal(read.headers["access-control-allow-origin"], undefined);
    assert.equal(read.headers["vary"], "origin");
  });

  test("still serves a method that is bound to OPTIONS", async () => {
    const { statusCode } = await ask(sluice.port, "OPTIONS", "/v1/anything/x", { origin: page });
    assert.equal(statusCode, 200);
  });
});

test("a gateway for all pages serves them without credentials", async (t) => {
  const sluice = await startTestGateway({ origin: "any" });
  t.after(() => sluice.close());
  const { headers } = await ask(sluice.port, "POST", metadataUrl, connectJson, "{}");
  assert.equal(headers["access-control-allow-origin"], "*");
  assert.equal(headers["access-control-allow-credentials"], undefined);
  assert.equal(headers["access-control-expose-headers"], "*");
});

test("an origin that no browser would send is told at the start", async () => {
  for (const origin of ["app.example.com", "https://app.example.com/", "https://"]) {
    const { code, stderr } = await runCommand("serve", "--upstream", "localhost:1", "--allow-origin", origin);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /Give a scheme and a host, and nothing behind them, as in https:\/\/app\.example\.com/,
    );
  }
});

describe("a gateway for all pages drops the cookies", () => {
  let sluice: TestGateway;
  before(async () => {
    sluice = await startTestGateway({ origin: "any" });
  });
  after(() => sluice.close());

  const cookies = { cookie: "a=b; token=secret" };
  const passed = ["authorization", "cookie", "grpcgateway-cookie"];
  type Asker = (headers: Record<string, string>) => Promise<unknown>;
  const seen = async (metadataOf: Asker, headers: Record<string, string>): Promise<string[]> => {
    const reply = (await metadataOf({ ...cookies, ...headers })) as { metadata: Record<string, unknown> };
    return Object.keys(reply.metadata).filter((each) => passed.includes(each));
  };
  const askers: readonly (readonly [name: string, asker: Asker])[] = [
    [
      "a request",
      async (headers) =>
        (await send(`${sluice.http}${metadataUrl}`, "POST", {}, { ...connectJson, ...headers })).json,
    ],
    [
      "a WebSocket of REST",
      async (headers) => (await converse(`${sluice.ws}${metadataUrl}`, ["{}"], { headers })).messages[0],
    ],
    [
      "a WebSocket of many calls",
      async (headers) => {
        const client = await MultiplexClient.connect(sluice.ws, { headers });
        const { messages } = await client.call({ method: metadataUrl.slice(1) }, [{}]);
        client.connection.close();
        return messages[0];
      },
    ],
  ];

  for (const [name, metadataOf] of askers) {
    test(`of ${name} of a page of another origin, and of no other`, async () => {
      assert.deepEqual(await seen(metadataOf, { origin: "https://evil.example.com" }), []);
      assert.deepEqual(await seen(metadataOf, { origin: "null" }), []);
      assert.notDeepEqual(await seen(metadataOf, { origin: sluice.http }), []);
    });
  }
});

test("a gateway without other origins says nothing of them", async (t) => {
  const sluice = await startTestGateway();
  t.after(() => sluice.close());
  const { headers } = await ask(sluice.port, "POST", metadataUrl, connectJson, "{}");
  assert.equal(
    Object.keys(headers).some((name) => name.startsWith("access-control-")),
    false,
  );
});

describe("what a page may send without asking first", () => {
  const evil = "https://evil.example.com";
  const say = "/sluice.test.v1.Echo/Say";
  const framedHello = Buffer.from("00000000070a0568656c6c6f", "hex").toString("latin1");
  const simple: readonly [dialect: string, path: string, contentType: string, body: string][] = [
    ["REST", "/v1/say", "text/plain", '{"text":"a"}'],
    ["REST without a content type", "/v1/say", "", '{"text":"a"}'],
    ["a form", "/v1/say", "application/x-www-form-urlencoded", "text=a"],
    ["a multipart form", "/v1/upload/x", "multipart/form-data; boundary=x", "--x--"],
    ["a content type that is a lie", "/v1/say", "text/plain; x=application/json", '{"text":"a"}'],
    ["a method of a path", say, "text/plain", '{"text":"a"}'],
    ["gRPC-Web", say, "application/grpc-web", framedHello],
    ["Connect", say, "application/json", '{"text":"a"}'],
    ["health", "/grpc.health.v1.Health/Check", "text/plain", "{}"],
  ];

  async function statusOf(
    sluice: TestGateway,
    headers: Record<string, string>,
    [, path, contentType, body]: (typeof simple)[number],
  ): Promise<number | undefined> {
    const type = contentType === "" ? {} : { "content-type": contentType };
    return (await ask(sluice.port, "POST", path, { ...type, ...headers }, body)).statusCode;
  }

  let own: TestGateway;
  let listed: TestGateway;
  let open: TestGateway;
  before(async () => {
    [own, listed, open] = await Promise.all([
      startTestGateway(),
      startTestGateway({ origin: [page] }),
      startTestGateway({ origin: "any" }),
    ]);
  });
  after(() => Promise.all([own.close(), listed.close(), open.close()]));

  for (const sent of simple) {
    test(`${sent[0]} is refused to pages of other origins, and to nobody else`, async () => {
      const { started } = own.echo.calls;
      for (const origin of [evil, "null", "https://127.0.0.1:1", "nonsense"]) {
        assert.equal(await statusOf(own, { origin }, sent), 403, origin);
        assert.equal(await statusOf(listed, { origin }, sent), 403, origin);
      }
      assert.equal(own.echo.calls.started, started, "nothing reaches the backend");
      const served = await statusOf(own, {}, sent);
      assert.notEqual(served, 403);
      for (const sluice of [own, listed, open]) {
        const sameOrigin = { origin: `http://127.0.0.1:${sluice.port}` };
        assert.equal(await statusOf(sluice, sameOrigin, sent), served);
        // A proxy in front has changed the host, but the browser says that it is the page's own.
        const behind = { origin: "https://app.internal", "sec-fetch-site": "same-origin" };
        assert.equal(await statusOf(sluice, behind, sent), served);
      }
      assert.equal(await statusOf(listed, { origin: page }, sent), served);
      assert.equal(await statusOf(open, { origin: evil }, sent), served);
    });
  }

  test("is refused with the option that permits it", async () => {
    const response = await fetch(`${own.http}/v1/say`, {
      method: "POST",
      headers: { origin: evil, "content-type": "text/plain" },
      body: "{}",
    });
    assert.equal(response.status, 403);
    assert.equal(
      await response.text(),
      `pages of ${evil} may not make calls here; --allow-origin ${evil} permits them\n`,
    );
  });

  test("is refused over HTTP/2 too, where the authority is the host", async () => {
    const asked = { path: "/v1/say", chunks: [Buffer.from("{}")] };
    const other = await rawRequest(own.http, { ...asked, headers: { origin: evil } });
    assert.equal(other.headers[":status"], 403);
    const same = await rawRequest(own.http, { ...asked, headers: { origin: own.http } });
    assert.equal(same.headers[":status"], 200);
  });

  test("may be a GET, which changes nothing", async () => {
    const { statusCode } = await ask(own.port, "GET", "/v1/say/hello", { origin: evil });
    assert.equal(statusCode, 200);
  });
});

test("WebSockets of the gateway's own pages are welcome, also where others are named", async (t) => {
  const sluice = await startTestGateway({ origin: [page] });
  t.after(() => sluice.close());
  for (const [origin, code] of [
    [sluice.http, 1000],
    [page, 1000],
    ["https://evil.example.com", 1006],
  ] as const) {
    const conversation = converse(`${sluice.ws}/v1/say/x`, [], { headers: { origin } });
    if (code === 1006) await assert.rejects(conversation, /403/);
    else assert.equal((await conversation).code, code);
  }
});
