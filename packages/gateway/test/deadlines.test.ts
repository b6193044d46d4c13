import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Backend, CallStart, MethodKind } from "@sluice/rpc";
import { boundDeadlines, type DeadlineOptions } from "../src/deadlines.ts";
import { startTestGateway, send } from "./support.ts";

/** The timeout and its origin with which a call reaches the backend. */
function outcome(options: DeadlineOptions, kind: MethodKind, timeout?: number): string {
  let seen: CallStart | undefined;
  const backend: Backend = {
    open: (start) => {
      seen = start;
      return { send: () => true, halfClose() {}, cancel() {}, pause() {}, resume() {} };
    },
    close: () => Promise.resolve(),
  };
  const start = { method: { kind }, metadata: {}, ...(timeout === undefined ? {} : { timeout }) };
  boundDeadlines(backend, options).open(start as CallStart, {} as never);
  return [seen?.timeout ?? "none", seen?.timeoutOrigin ?? "client"].join(" ");
}

describe("the deadline of a call", () => {
  const both = { defaultTimeoutMs: 10, maxTimeoutMs: 50 };
  for (const [options, kind, timeout, expected] of [
    [{}, "unary", undefined, "none client"],
    [{}, "unary", 100, "100 client"],
    [{ defaultTimeoutMs: 10 }, "unary", undefined, "10 --timeout"],
    [{ defaultTimeoutMs: 10 }, "unary", 100, "100 client"],
    [{ defaultTimeoutMs: 10 }, "unary", 5, "5 client"],
    [{ defaultTimeoutMs: 10 }, "server_streaming", undefined, "none client"],
    [{ defaultTimeoutMs: 10 }, "client_streaming", undefined, "none client"],
    [{ defaultTimeoutMs: 10 }, "bidi_streaming", undefined, "none client"],
    [{ maxTimeoutMs: 50 }, "unary", undefined, "50 --max-timeout"],
    [{ maxTimeoutMs: 50 }, "bidi_streaming", undefined, "50 --max-timeout"],
    [{ maxTimeoutMs: 50 }, "bidi_streaming", 51, "50 --max-timeout"],
    [{ maxTimeoutMs: 50 }, "unary", 50, "50 client"],
    [both, "unary", undefined, "10 --timeout"],
    [both, "unary", 100, "50 --max-timeout"],
    [both, "server_streaming", undefined, "50 --max-timeout"],
  ] as const) {
    test(`is ${expected} for a ${kind} call with ${timeout ?? "none"} and ${JSON.stringify(options)}`, () => {
      assert.equal(outcome(options, kind, timeout), expected);
    });
  }

  test("that the gateway has set is told with the flag, in every dialect", async (t) => {
    const sluice = await startTestGateway({ deadlines: { defaultTimeoutMs: 20, maxTimeoutMs: 30 } });
    t.after(() => sluice.close());
    const sleep = `${sluice.http}/sluice.test.v1.Echo/Sleep`;
    for (const headers of [{}, { "connect-protocol-version": "1" }]) {
      const answer = await send(sleep, "POST", {}, headers);
      assert.equal(answer.status, 504);
      assert.match(
        answer.text,
        /the deadline of 20 ms \(--timeout\) passed before the answer of the backend/,
      );
    }
    const capped = await send(sleep, "POST", {}, { "grpc-timeout": "1H" });
    assert.match(capped.text, /the deadline of 30 ms \(--max-timeout\) passed/);
    const own = await send(sleep, "POST", {}, { "grpc-timeout": "10m" });
    assert.match(own.text, /the deadline of 10 ms passed/);
    const stream = await send(`${sluice.http}/v1/repeat/x?count=0&intervalMs=1`);
    assert.match(stream.text, /"message":"the deadline of 30 ms \(--max-timeout\) passed/);
  });
});
