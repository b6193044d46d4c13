import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { framed, rawRequest } from "./raw-http2.ts";
import { send, startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway();
});
after(() => sluice.close());

const metadata = "/sluice.test.v1.Echo/Metadata";
const connect = { "content-type": "application/json", "connect-protocol-version": "1" };
const grpc = { "content-type": "application/grpc+json" };

/** Makes a call with an empty message, and gives the JSON of its reply. */
async function callGrpc(path: string, timeout: string): Promise<unknown> {
  const headers = { ...grpc, "grpc-timeout": timeout };
  const { body } = await rawRequest(sluice.http, { path, headers, chunks: [framed(0, Buffer.from("{}"))] });
  return JSON.parse(body.subarray(5).toString());
}

describe("a deadline of more milliseconds than the eight digits of grpc-timeout", () => {
  const long: readonly [dialect: string, call: () => Promise<unknown>][] = [
    [
      "REST",
      async () => (await send(sluice.http + metadata, "POST", {}, { "grpc-timeout": "2000000S" })).json,
    ],
    [
      "Connect",
      async () =>
        (await send(sluice.http + metadata, "POST", {}, { ...connect, "connect-timeout-ms": "2000000000" }))
          .json,
    ],
    ["gRPC", () => callGrpc(metadata, "2000000S")],
  ];
  for (const [dialect, call] of long) {
    test(`reaches the backend in a coarser unit, from ${dialect}`, async () => {
      const { timeoutMs } = (await call()) as { readonly timeoutMs: number };
      assert.ok(timeoutMs > 1_999_000_000 && timeoutMs <= 2_000_001_000, `${timeoutMs} ms`);
    });
  }
});

const fields = async (json: string): Promise<unknown> =>
  (await send(`${sluice.http}/v1/everything`, "POST", json)).json;

describe("an integer of 64 bits in JSON", () => {
  test("has all its digits as a string", async () => {
    assert.deepEqual(await fields('{"int64Value":"9007199254740993","uint64Value":"18446744073709551615"}'), {
      int64Value: "9007199254740993",
      uint64Value: "18446744073709551615",
    });
  });

  test("is rounded as a number, as every number of JavaScript, or out of range", async () => {
    assert.deepEqual(await fields('{"int64Value":9007199254740993,"uint64Value":9007199254740991}'), {
      int64Value: "9007199254740992",
      uint64Value: "9007199254740991",
    });
    assert.match(
      JSON.stringify(await fields('{"uint64Value":18446744073709551615}')),
      /uint64Value|uint64_value/,
    );
  });
});
