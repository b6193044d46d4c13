/**
 * `npm run conformance:grpc-go`: calls of the clients that Go has, grpc-go and grpcurl, through the gateway. They are
 * built with Go, and the test is skipped where there is none.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createLogger, Gateway } from "@sluice/gateway";
import { compileProtos, createHttp2Backend } from "@sluice/rpc";
import { startEchoServer, type EchoServer } from "@sluice/testkit";

const run = promisify(execFile);
const sources = fileURLToPath(new URL(".", import.meta.url));
const bin = fileURLToPath(new URL("../out/grpc-go", import.meta.url));

const hasGo = await run("go", ["version"]).then(
  () => true,
  () => false,
);
const skip = hasGo
  ? false
  : "the clients are built with Go 1.24 or later (https://go.dev/dl), which is not here";

const grpcurl = async (...args: readonly string[]): Promise<string> =>
  (await run(join(bin, "grpcurl"), ["-plaintext", ...args])).stdout;

/** What each case of the client has seen. `main.go` and `cases.go` have them. */
const expected: Readonly<Record<string, unknown>> = {
  unary: { text: "hällo 🌊" },
  "server streaming": { replies: [{ text: "a" }, { text: "a", index: 1 }, { text: "a", index: 2 }] },
  "client streaming": { replies: [{ texts: ["a", "b", ""] }] },
  "bidirectional streaming": {
    replies: [{ text: "one" }, { text: "two", index: 1 }, { text: "three", index: 2 }],
    end: "EOF",
  },
  deadline: { code: "DeadlineExceeded", message: "context deadline exceeded" },
  cancel: { code: "Canceled", message: "context canceled" },
  "error with details": {
    code: "NotFound",
    message: "no € such: 100%",
    details: [{ reason: "LOST", domain: "test" }],
  },
  "error after messages": {
    replies: [{ text: "before the failure" }, { text: "before the failure", index: 1 }],
    end: { code: "Aborted", message: "so far" },
  },
  gzip: true,
  "large reply": 4_000_000,
  "request over the limit": {
    code: "ResourceExhausted",
    message: "the request has a message of 5242885 bytes, more than the maximum of 4194304 (--max-message)",
  },
  "unknown method": { code: "Unimplemented", message: "there is no method /sluice.test.v1.Echo/None" },
  "more calls than streams": { calls: 2_500 },
  keepalive: { before: "READY", after: "READY", reply: { text: "still here" } },
};

const services = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
  "sluice.test.v1.Echo",
  "sluice.test.v1.Library",
];

describe("clients in Go", { skip }, () => {
  let echo: EchoServer;
  let gateway: Gateway;
  let target: string;
  before(async () => {
    await mkdir(bin, { recursive: true });
    const build = ["build", "-o", bin, ".", "github.com/fullstorydev/grpcurl/cmd/grpcurl"];
    await run("go", build, { cwd: sources, maxBuffer: 1 << 26 });
    echo = await startEchoServer();
    gateway = new Gateway({
      upstreams: [
        {
          name: echo.address,
          backend: createHttp2Backend(echo.address),
          loadSchema: () => compileProtos([echo.protoPath], { importPaths: echo.importPaths }),
        },
      ],
      log: createLogger("silent"),
      reflection: true,
    });
    const { port } = await gateway.start("127.0.0.1", 0);
    target = `127.0.0.1:${port}`;
  });
  after(async () => {
    await gateway.close(0);
    await echo.close();
  });

  describe("grpc-go", () => {
    const seen = new Map<string, unknown>();
    before(async () => {
      const { stdout } = await run(join(bin, "grpcgo"), ["-target", target], { maxBuffer: 1 << 26 });
      for (const line of stdout.trimEnd().split("\n")) {
        const each = JSON.parse(line) as { readonly case: string; readonly seen: unknown };
        seen.set(each.case, each.seen);
      }
    });

    for (const [name, value] of Object.entries(expected)) {
      test(name, () => assert.deepEqual(seen.get(name), value));
    }

    test("metadata, in both directions", () => {
      const told = seen.get("metadata") as {
        readonly reply: { readonly metadata: Record<string, { readonly values: readonly string[] }> };
      };
      const { reply, ...received } = told;
      assert.deepEqual(received, {
        "x-head": ["1"],
        "x-head-bin": "[000102]",
        "x-trail": ["2"],
        "x-trail-bin": "[030405]",
      });
      const valuesOf = (key: string): readonly string[] | undefined => reply.metadata[key]?.values;
      assert.deepEqual(valuesOf("x-one"), ["eins"]);
      assert.equal(valuesOf("x-many")?.join(", "), "1, 2");
      assert.deepEqual(valuesOf("x-two-bin"), ["//79"]);
      assert.deepEqual(valuesOf("authorization"), ["Bearer abc"]);
    });

    test("a deadline, which the backend is told", () => {
      const { timeoutMs } = seen.get("deadline of the backend") as { readonly timeoutMs: number };
      assert.ok(timeoutMs > 15_000 && timeoutMs <= 30_001, `${timeoutMs} ms are left`);
    });

    test("reflection, in both versions", () => {
      assert.deepEqual(seen.get("reflection v1"), services);
      assert.deepEqual(seen.get("reflection v1alpha"), services);
    });

    test("and nothing stays of all that at the backend", async () => {
      await echo.calls.until(({ open }) => open === 0);
      assert.ok(echo.calls.cancelled >= 2);
    });
  });

  describe("grpcurl", () => {
    test("lists services and methods", async () => {
      assert.deepEqual((await grpcurl(target, "list")).trimEnd().split("\n"), services);
      assert.match(await grpcurl(target, "list", "sluice.test.v1.Echo"), /^sluice\.test\.v1\.Echo\.Say$/m);
    });

    test("describes a method and a message", async () => {
      assert.match(
        await grpcurl(target, "describe", "sluice.test.v1.Echo.Converse"),
        /rpc Converse \( stream \.sluice\.test\.v1\.ConverseRequest \) returns \( stream/,
      );
      assert.match(
        await grpcurl(target, "describe", "sluice.test.v1.Everything"),
        /map<string, string> labels/,
      );
    });

    test("makes a unary call", async () => {
      const said = await grpcurl("-d", '{"text":"curl"}', target, "sluice.test.v1.Echo/Say");
      assert.deepEqual(JSON.parse(said), { text: "curl" });
    });

    test("reads and sends streams", async () => {
      const repeated = await grpcurl("-d", '{"text":"a","count":2}', target, "sluice.test.v1.Echo/Repeat");
      assert.equal(repeated.match(/"text": "a"/g)?.length, 2);
      const sent = '{"text":"a"} {"text":"b"}';
      const collected = await grpcurl("-d", sent, target, "sluice.test.v1.Echo/Collect");
      assert.deepEqual(JSON.parse(collected), { texts: ["a", "b"] });
      const conversed = await grpcurl("-d", sent, target, "sluice.test.v1.Echo/Converse");
      assert.match(conversed, /"text": "a"[^]*"text": "b",\s*"index": 1/);
    });

    test("shows an error with its details", async () => {
      const info = '{"@type":"type.googleapis.com/sluice.test.v1.SayRequest","text":"LOST"}';
      const request = `{"status":{"code":7,"message":"no","details":[${info}]}}`;
      const failed = grpcurl("-d", request, target, "sluice.test.v1.Echo/Fail");
      await assert.rejects(failed, /Code: PermissionDenied\s+Message: no\s+Details:[^]*"text": "LOST"/);
    });

    test("checks health", async () => {
      assert.match(await grpcurl(target, "grpc.health.v1.Health/Check"), /"SERVING"/);
    });
  });
});
