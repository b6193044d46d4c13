import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { compileProtos, type Metadata, type Schema, type Status } from "@sluice/rpc";
import type { ClientCallStart } from "../src/cli/call/call-client.ts";
import { createCallClient, dialects, type Dialect } from "../src/cli/call/create-call-client.ts";
import { commandFile, runCommand } from "./command.ts";
import { startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
let schema: Schema;
before(async () => {
  sluice = await startTestGateway();
  schema = await compileProtos([sluice.echo.protoPath], { importPaths: sluice.echo.importPaths });
});
after(() => sluice.close());

interface Called {
  readonly replies: readonly unknown[];
  readonly headers: Metadata;
  readonly status: Status;
  readonly trailers: Metadata;
}

/** Calls through the gateway, in a dialect. */
async function callIn(
  dialect: Dialect,
  name: string,
  messages: readonly object[],
  start: Partial<ClientCallStart> = {},
  url = sluice.http,
): Promise<Called> {
  const method = schema.methods.get(`/sluice.test.v1.Echo/${name}`);
  assert.ok(method !== undefined);
  const client = createCallClient(dialect, { url: new URL(url), schema });
  const replies: unknown[] = [];
  let headers: Metadata = {};
  const ended = await new Promise<Pick<Called, "status" | "trailers">>((resolve) => {
    const call = client.open(
      { method, metadata: {}, ...start },
      {
        headers: (metadata) => (headers = metadata),
        message: (json) => replies.push(JSON.parse(json)),
        end: (status, trailers) => resolve({ status, trailers }),
      },
    );
    for (const message of messages) call.send(JSON.stringify(message));
    call.halfClose();
  });
  await client.close();
  return { replies, headers, ...ended };
}

for (const dialect of dialects) {
  describe(`a call in the dialect ${dialect}`, () => {
    test("of each of the four kinds", async () => {
      const expected: readonly [name: string, messages: readonly object[], replies: readonly unknown[]][] = [
        ["Say", [{ text: "hello" }], [{ text: "hello" }]],
        ["Repeat", [{ text: "a", count: 2 }], [{ text: "a" }, { text: "a", index: 1 }]],
        ["Collect", [{ text: "a" }, { text: "b" }], [{ texts: ["a", "b"] }]],
        ["Converse", [{ text: "a" }, { text: "b" }], [{ text: "a" }, { text: "b", index: 1 }]],
      ];
      for (const [name, messages, replies] of expected) {
        const called = await callIn(dialect, name, messages);
        assert.deepEqual(
          [called.status.code, called.replies],
          [0, replies],
          `${name}: ${called.status.message}`,
        );
      }
    });

    test("that fails, at once or later", async () => {
      const failed = await callIn(dialect, "Fail", [{ status: { code: 5, message: "no such thing" } }]);
      assert.deepEqual([failed.status.code, failed.status.message, failed.replies], [5, "no such thing", []]);
      const later = await callIn(dialect, "FailLater", [
        { status: { code: 8, message: "enough" }, after: 1 },
      ]);
      assert.deepEqual([later.status.code, later.status.message, later.replies.length], [8, "enough", 1]);
    });

    test("with metadata, headers, trailers and a deadline", async () => {
      const message = { headers: { "a-header": "h" }, trailers: { "a-trailer": "t" } };
      const called = await callIn(dialect, "Metadata", [message], {
        metadata: { color: "red" },
        timeout: 30_000,
      });
      const [reply] = called.replies as [
        { metadata: Record<string, { values: string[] }>; timeoutMs: number },
      ];
      assert.deepEqual(reply.metadata["color"]?.values, ["red"]);
      assert.ok(reply.timeoutMs > 20_000 && reply.timeoutMs <= 30_000);
      assert.equal(called.headers["a-header"], "h");
      assert.equal(called.trailers["a-trailer"], "t");
      assert.equal((await callIn(dialect, "Sleep", [{}], { timeout: 20 })).status.code, 4);
    });

    test("with a server that is not there", async () => {
      const { status } = await callIn(dialect, "Say", [{}], {}, "http://127.0.0.1:1");
      assert.equal(status.code, 14);
      assert.match(status.message, /ECONNREFUSED/);
    });
  });
}

describe("sluice call", () => {
  test("ends without a word when nobody reads on", async () => {
    const args = [
      "call",
      "sluice.test.v1.Echo/Repeat",
      "-d",
      '{"text":"x"}',
      "--upstream",
      sluice.echo.address,
    ];
    const child = spawn(process.execPath, [commandFile, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    const closed = once(child, "close");
    await once(child.stdout, "data");
    child.stdout.destroy();
    const [code] = (await closed) as [number];
    assert.deepEqual([code, errors], [0, ""]);
  });

  test("answers while it is still asked", async () => {
    const child = spawn(process.execPath, [
      commandFile,
      "call",
      "sluice.test.v1.Echo/Converse",
      "--upstream",
      sluice.echo.address,
    ]);
    const lines = createInterface(child.stdout);
    for (const text of ["one", "two"]) {
      child.stdin.write(JSON.stringify({ text }));
      const [line] = (await once(lines, "line")) as [string];
      assert.equal((JSON.parse(line) as { text: string }).text, text);
    }
    child.stdin.end();
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 0);
  });

  test("cancels the call at Ctrl-C", async () => {
    const { cancelled } = sluice.echo.calls;
    const args = ["call", "sluice.test.v1.Echo/Sleep", "--upstream", sluice.echo.address, "-d", "{}"];
    const child = spawn(process.execPath, [commandFile, ...args]);
    await sluice.echo.calls.until((calls) => calls.records.at(-1)?.path.endsWith("/Sleep") === true, 30_000);
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 64 + 1);
    await sluice.echo.calls.until((calls) => calls.cancelled === cancelled + 1);
  });

  const mistakes: readonly [what: string, args: readonly string[], code: number, stderr: RegExp][] = [
    ["a method that is none", ["nonsense"], 2, /SERVICE\/METHOD/],
    [
      "a method that the schema lacks",
      ["a.B/Say"],
      2,
      /no method a\.B\/Say; did you mean sluice\.test\.v1\.Echo\/Say\?/,
    ],
    ["JSON that is none", ["sluice.test.v1.Echo/Say", "-d", "{"], 64 + 3, /JSON/],
    ["a field that there is none", ["sluice.test.v1.Echo.Say", "-d", '{"txet":1}'], 64 + 3, /txet/],
    [
      "two messages where one is taken",
      ["sluice.test.v1.Echo/Say", "-d", "{}", "{}"],
      2,
      /takes one message/,
    ],
    ["a header that is none", ["sluice.test.v1.Echo/Say", "-d", "{}", "-H", "x"], 2, /write 'name: value'/],
  ];
  for (const [what, args, code, stderr] of mistakes) {
    test(`given ${what}, says so`, async () => {
      const result = await runCommand("call", ...args, "--upstream", sluice.echo.address);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, stderr);
    });
  }

  test("tells of a failure with headers and trailers, if asked", async () => {
    const input = JSON.stringify({
      status: { code: 5, message: "no such thing" },
      trailers: { "a-trailer": "t" },
    });
    const args = ["call", "sluice.test.v1.Echo/Fail", "-v", "--upstream", sluice.echo.address, "-d", input];
    const { code, stdout, stderr } = await runCommand(...args);
    assert.deepEqual([code, stdout], [64 + 5, ""]);
    assert.match(stderr, /^<< a-trailer: t$/m);
    assert.match(stderr, /^NOT_FOUND: no such thing$/m);
  });
});
