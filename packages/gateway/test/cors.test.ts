import assert from "node:assert/strict";
import { request } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { after, before, describe, test } from "node:test";
import { startTestGateway, type TestGateway } from "./support.ts";

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
  const asked = request({ port, method, path, headers });
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

test("a gateway without other origins says nothing of them", async (t) => {
  const sluice = await startTestGateway();
  t.after(() => sluice.close());
  const { headers } = await ask(sluice.port, "POST", metadataUrl, connectJson, "{}");
  assert.equal(
    Object.keys(headers).some((name) => name.startsWith("access-control-")),
    false,
  );
});
