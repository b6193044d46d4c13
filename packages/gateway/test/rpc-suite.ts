import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { JsonObject, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { RpcClient, type CallOptions } from "./rpc-client.ts";
import { echoSchema, startTestGateway, type TestGateway } from "./support.ts";

/** A client of one dialect. */
export interface SuiteOptions {
  readonly createTransport: (options: { baseUrl: string; jsonOptions: { registry: Registry } }) => Transport;
  /** Whether answers come while requests are still sent; over HTTP/1 they do not. */
  readonly isDuplex: boolean;
}

/** Fails with a ConnectError, which it resolves with. */
async function failure(work: Promise<unknown>): Promise<ConnectError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    return error;
  }
  return assert.fail("the call did not fail");
}

const errorInfo = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "LOST", domain: "test" };

/** What every dialect can do, with the clients of Connect-ES. */
export function describeDialect(title: string, { createTransport, isDuplex }: SuiteOptions): void {
  describe(title, () => {
    let sluice: TestGateway;
    let client: RpcClient;
    const call = (method: string, requests: Iterable<JsonObject>, options?: CallOptions) =>
      client.call(method, requests, options);

    before(async () => {
      sluice = await startTestGateway();
      const schema = await echoSchema(sluice.echo);
      const jsonOptions = { registry: schema.registry };
      client = new RpcClient(createTransport({ baseUrl: sluice.http, jsonOptions }), schema);
    });
    after(() => sluice.close());

    test("makes a unary call", async () => {
      const { messages } = await call("Say", [{ text: "hällo 🌊" }]);
      assert.deepEqual(messages, [{ text: "hällo 🌊" }]);
      assert.deepEqual((await call("Say", [{}])).messages, [{}]);
    });

    test("reads a stream", async () => {
      const { messages } = await call("Repeat", [{ text: "a", count: 500 }]);
      assert.equal(messages.length, 500);
      assert.deepEqual(messages[499], { text: "a", index: 499 });
    });

    test("sends a stream", async () => {
      const { messages } = await call("Collect", [{ text: "a" }, { text: "b" }, {}]);
      assert.deepEqual(messages, [{ texts: ["a", "b", ""] }]);
      assert.deepEqual((await call("Collect", [])).messages, [{}]);
    });

    test("sends and reads a stream", async () => {
      const { messages } = await call("Converse", [{ text: "a" }, { text: "b" }]);
      assert.deepEqual(messages, [{ text: "a" }, { text: "b", index: 1 }]);
    });

    test("answers while requests are still sent", { skip: !isDuplex }, async () => {
      const heard: unknown[] = [];
      let answered: (() => void) | undefined;
      async function* dialogue(): AsyncGenerator<JsonObject> {
        for (const text of ["one", "two", "three"]) {
          const reply = new Promise<void>((resolve) => (answered = resolve));
          yield { text };
          await reply;
        }
      }
      await client.call("Converse", dialogue(), {
        onMessage: ({ text }) => {
          heard.push(text);
          answered?.();
        },
      });
      assert.deepEqual(heard, ["one", "two", "three"]);
    });

    test("tells errors with their details and trailers", async () => {
      const status = { code: 5, message: "no € such: 100%\n", details: [errorInfo] };
      const trailers = { "x-why": "because", "x-why-bin": "AAEC" };
      const error = await failure(call("Fail", [{ status, trailers }]));
      assert.equal(error.code, Code.NotFound);
      assert.equal(error.rawMessage, status.message);
      assert.equal(error.metadata.get("x-why"), "because");
      assert.equal(error.metadata.get("x-why-bin")?.replace(/=+$/, ""), "AAEC");
      const info = client.schema.registry.getMessage("google.rpc.ErrorInfo");
      assert.ok(info !== undefined);
      assert.deepEqual(
        error.findDetails(info).map((detail) => (detail as unknown as { reason: string }).reason),
        ["LOST"],
      );
    });

    test("tells an error that comes after messages", async () => {
      const heard: JsonObject[] = [];
      const requests = [{ status: { code: 10, message: "so far" }, after: 3 }];
      const error = await failure(call("FailLater", requests, { onMessage: (each) => heard.push(each) }));
      assert.equal(error.code, Code.Aborted);
      assert.equal(error.rawMessage, "so far");
      assert.equal(heard.length, 3);
    });

    test("has each code of a call that fails", async () => {
      for (let code = 1; code <= 16; code++) {
        const error = await failure(call("Fail", [{ status: { code, message: `code ${code}` } }]));
        assert.equal(error.code, code);
        assert.equal(error.rawMessage, `code ${code}`);
      }
    });

    test("carries metadata both ways", async () => {
      const { messages, headers, trailers } = await call(
        "Metadata",
        [
          {
            headers: { "x-head": "1", "x-head-bin": "AAEC" },
            trailers: { "x-trail": "2", "x-trail-bin": "AwQF" },
          },
        ],
        {
          headers: {
            "x-one": "eins",
            "x-two-bin": "//79",
            authorization: "Bearer abc",
            "sluice-user": "root",
            "sluice-session": "forged",
          },
        },
      );
      const metadata = messages[0]?.["metadata"] as Record<string, { values: string[] }>;
      assert.deepEqual([metadata["sluice-user"], metadata["sluice-session"]], [undefined, undefined]);
      assert.deepEqual(metadata["x-one"]?.values, ["eins"]);
      assert.deepEqual(metadata["x-two-bin"]?.values, ["//79"]);
      assert.deepEqual(metadata["authorization"]?.values, ["Bearer abc"]);
      assert.match(metadata["x-forwarded-for"]?.values[0] ?? "", /127\.0\.0\.1$/);
      assert.equal(headers.get("x-head"), "1");
      assert.equal(headers.get("x-head-bin")?.replace(/=+$/, ""), "AAEC");
      assert.equal(trailers.get("x-trail"), "2");
      assert.equal(trailers.get("x-trail-bin")?.replace(/=+$/, ""), "AwQF");
      for (const name of Object.keys(metadata)) assert.doesNotMatch(name, /^(?:grpc-timeout|connect-)/);
    });

    test("has a deadline only where the client sets one, and passes it on", async () => {
      const without = await call("Metadata", [{}]);
      assert.equal(without.messages[0]?.["timeoutMs"], undefined);
      const within = await call("Metadata", [{}], { timeoutMs: 30_000 });
      const left = Number(within.messages[0]?.["timeoutMs"]);
      assert.ok(left > 20_000 && left <= 30_001, `${left} ms are left`);
    });

    test("ends a call at its deadline", async () => {
      const error = await failure(call("Sleep", [{}], { timeoutMs: 150 }));
      assert.equal(error.code, Code.DeadlineExceeded);
      await sluice.echo.calls.until((calls) => calls.open === 0);
    });

    test("cancels a unary call that the client gives up", async () => {
      const { calls } = sluice.echo;
      const cancelledBefore = calls.cancelled;
      const controller = new AbortController();
      const error = failure(call("Sleep", [{}], { signal: controller.signal }));
      await calls.until(({ records, open }) => open === 1 && records.at(-1)?.received === 1);
      controller.abort();
      assert.equal((await error).code, Code.Canceled);
      await calls.until(({ cancelled }) => cancelled === cancelledBefore + 1);
    });

    test("cancels a stream that the client leaves", async () => {
      const { calls } = sluice.echo;
      const cancelledBefore = calls.cancelled;
      const controller = new AbortController();
      let heard = 0;
      const error = await failure(
        call("Repeat", [{ text: "endless" }], {
          signal: controller.signal,
          onMessage: () => {
            if (++heard === 3) controller.abort();
          },
        }),
      );
      assert.equal(error.code, Code.Canceled);
      await calls.until(({ cancelled }) => cancelled === cancelledBefore + 1);
    });

    test("carries large messages", async () => {
      const { messages } = await call("Large", [{ size: 3_000_000 }]);
      assert.equal(JSON.stringify(messages).length, '[{"data":""}]'.length + 4_000_000);
      const data = Buffer.alloc(2_000_000, "x").toString("base64");
      const received = await call("Receive", [{ data }, { data }, { data }]);
      assert.deepEqual(received.messages, [{ messages: "3", bytes: "6000000" }]);
    });

    test("refuses a message over the limit, unary and in a stream", async () => {
      const text = "x".repeat(4 * 1024 * 1024);
      assert.equal((await failure(call("Say", [{ text }]))).code, Code.ResourceExhausted);
      assert.equal((await failure(call("Collect", [{ text: "a" }, { text }]))).code, Code.ResourceExhausted);
    });

    test("says so when there is no such method", async () => {
      assert.equal((await failure(call("Nonexistent", [{}]))).code, Code.Unimplemented);
    });

    test("holds nothing when all is done", async () => {
      await sluice.echo.calls.until(({ open }) => open === 0);
      assert.equal(sluice.echo.calls.open, 0);
    });
  });
}
