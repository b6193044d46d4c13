import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { Code } from "@sluice/protocol";
import type { Schema } from "@sluice/rpc";
import { MultiplexClient, until } from "./multiplex-client.ts";
import { echoSchema, startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
let client: MultiplexClient;
let schema: Schema;
before(async () => {
  sluice = await startTestGateway();
  schema = await echoSchema(sluice.echo);
  client = await MultiplexClient.connect(sluice.ws);
});
after(() => sluice.close());

const echo = (name: string): string => `sluice.test.v1.Echo/${name}`;
const errorInfo = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "LOST", domain: "test" };

for (const encoding of ["protobuf", "json"] as const) {
  const call = (method: string, requests: readonly JsonObject[], timeout?: number) =>
    client.call(
      timeout === undefined ? { method: echo(method) } : { method: echo(method), timeout },
      requests,
      encoding === "protobuf" ? { schema } : {},
    );

  describe(`calls with ${encoding}`, () => {
    test("are unary", async () => {
      const { messages, status } = await call("Say", [{ text: "hällo 🌊" }]);
      assert.deepEqual(messages, [{ text: "hällo 🌊" }]);
      assert.equal(status.code, Code.OK);
      assert.deepEqual((await call("Say", [{}])).messages, [{}]);
    });

    test("read streams", async () => {
      const { messages } = await call("Repeat", [{ text: "a", count: 500 }]);
      assert.equal(messages.length, 500);
      assert.deepEqual(messages[499], { text: "a", index: 499 });
    });

    test("send streams", async () => {
      const { messages } = await call("Collect", [{ text: "a" }, { text: "b" }, {}]);
      assert.deepEqual(messages, [{ texts: ["a", "b", ""] }]);
      assert.deepEqual((await call("Collect", [])).messages, [{}]);
    });

    test("send and read streams", async () => {
      const { messages } = await call("Converse", [{ text: "a" }, { text: "b" }]);
      assert.deepEqual(messages, [{ text: "a" }, { text: "b", index: 1 }]);
    });

    test("carry messages that are larger than all credit", async () => {
      const { messages } = await call("Large", [{ size: 3_000_000 }]);
      assert.equal(Buffer.from(messages[0]?.["data"] as string, "base64").length, 3_000_000);
      const data = Buffer.alloc(2_000_000, "x").toString("base64");
      const received = await call("Receive", [{ data }, { data }]);
      assert.deepEqual(received.messages, [{ messages: "2", bytes: "4000000" }]);
    });

    test("tell errors with their details and trailers", async () => {
      const status = { code: 5, message: "no € such: 100%\n", details: [errorInfo] };
      const trailers = { "x-why": "because", "x-why-bin": "AAEC" };
      const end = await call("Fail", [{ status, trailers }]);
      assert.deepEqual([end.status.code, end.status.message], [Code.NOT_FOUND, status.message]);
      assert.match(Buffer.from(end.status.details ?? []).toString("latin1"), /ErrorInfo[^]*LOST[^]*test/);
      assert.equal(end.trailers["x-why"], "because");
      assert.equal(end.trailers["x-why-bin"], "AAEC");
      assert.deepEqual(end.messages, []);
    });

    test("tell an error that comes after messages", async () => {
      const end = await call("FailLater", [{ status: { code: 10, message: "so far" }, after: 3 }]);
      assert.equal(end.messages.length, 3);
      assert.deepEqual([end.status.code, end.status.message], [Code.ABORTED, "so far"]);
    });

    test("end at their deadline, which the backend knows", async () => {
      const { status } = await call("Sleep", [{}], 50);
      assert.equal(status.code, Code.DEADLINE_EXCEEDED);
      const { messages } = await call("Metadata", [{}], 30_000);
      const left = Number(messages[0]?.["timeoutMs"]);
      assert.ok(left > 20_000 && left <= 30_001, `${left} ms are left`);
      assert.equal((await call("Metadata", [{}])).messages[0]?.["timeoutMs"], undefined);
    });
  });
}

test("nothing is left when all calls are over", async () => {
  await sluice.echo.calls.until(({ open }) => open === 0);
  await until(() => sluice.gateway.counts.multiplexCalls === 0, "no call is open");
});
