import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { startEchoServer } from "@sluice/testkit";
import { runCommand, startCommand } from "./command.ts";
import { send } from "./support.ts";

const echo = "sluice.test.v1.Echo";
const library = "sluice.test.v1.Library";
const libraryProto = `syntax = "proto3"; package sluice.test.v1;
message GetBookRequest { string name = 1; } message Book { string name = 1; }
service Library { rpc GetBook(GetBookRequest) returns (Book); }
`;

test("calls go to all of several addresses, and to those that are left", async () => {
  const servers = [await startEchoServer(), await startEchoServer()];
  const [first, second] = servers;
  assert.ok(first !== undefined && second !== undefined);
  const upstream = `${first.address},${second.address}`;
  const command = startCommand(
    "serve",
    "--upstream",
    upstream,
    "--port",
    "0",
    "--retry",
    "--proto",
    first.protoPath,
  );
  const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
  for (let count = 0; count < 20; count++) assert.equal((await send(`${url}/v1/say/x`)).status, 200);
  for (const { calls } of servers) {
    assert.ok(calls.records.filter(({ path }) => path.endsWith("/Say")).length >= 5);
  }
  await first.kill();
  for (let count = 0; count < 10; count++) assert.equal((await send(`${url}/v1/say/x`)).status, 200);
  command.process.kill("SIGTERM");
  assert.equal((await command.ended).code, 0);
  await second.close();
});

test("a backend that is deployed anew is asked anew for its schema", async () => {
  const before = await startEchoServer({ services: [echo] });
  const { port } = before;
  const command = startCommand("serve", "--upstream", before.address, "--port", "0");
  const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
  assert.equal((await send(`${url}/v1/books/x`)).status, 404);
  await before.kill();
  const after = await startEchoServer({ port, services: [echo, library] });
  let answer = await send(`${url}/v1/books/x`);
  while (answer.status !== 200) {
    // A call makes the gateway connect.
    await send(`${url}/v1/say/x`);
    answer = await send(`${url}/v1/books/x`);
  }
  assert.deepEqual(answer.json, { name: "x" });
  command.process.kill("SIGTERM");
  assert.equal((await command.ended).code, 0);
  await after.close();
});

describe("several backends", () => {
  test("are given with an --upstream each, with files for the one that has no reflection", async (t) => {
    const silent = await startEchoServer({ services: [library], reflection: "none" });
    const open = await startEchoServer({ services: [echo] });
    t.after(() => Promise.all([silent.close(), open.close()]));
    const rules = join(await mkdtemp(join(tmpdir(), "sluice-rules-")), "rules.yaml");
    await writeFile(rules, `http: { rules: [{ selector: ${library}.GetBook, get: "/books/{name}" }] }`);
    const set = join(dirname(rules), "library.proto");
    await writeFile(set, libraryProto);
    const flags = [
      "--upstream",
      open.address,
      "--upstream",
      `books=${silent.address}`,
      "--proto",
      `books=${set}`,
      "--http-rules",
      `books=${rules}`,
    ];
    const command = startCommand("serve", ...flags, "--port", "0");
    const [line, url = ""] = await command.until(/^.*(http:\/\/127\.0\.0\.1:\d+).*\n/m);
    assert.equal(line, `sluice: ${open.address}, books are at ${url}\n`);
    assert.deepEqual((await send(`${url}/v1/say/x`)).json, { text: "x" });
    assert.deepEqual((await send(`${url}/books/x`)).json, { name: "x" });
    command.process.kill("SIGTERM");
    assert.equal((await command.ended).code, 0);
    const listed = await runCommand("methods", ...flags);
    assert.match(listed.stdout, /Echo\/Say[\s\S]*Library\/GetBook {2}unary\n {2}GET {4}\/books\/\{name\}/);
    await rm(dirname(rules), { recursive: true });
  });

  for (const [what, args, expected] of [
    [
      "one name twice",
      ["--upstream", "a=x:1", "--upstream", "a=y:1"],
      /two backends are called a: give each --upstream a name of its own/,
    ],
    [
      "one address twice",
      ["--upstream", "x:1", "--upstream", "x:1"],
      /two backends are called x:1.*--upstream NAME=x:1; several addresses of one backend/,
    ],
    [
      "a file of nobody",
      ["--upstream", "a=x:1", "--upstream", "b=y:1", "--proto", "c.proto"],
      /--proto c\.proto: say for which backend, with its name, as in --proto a=c\.proto/,
    ],
    ["two servers for one call", ["--upstream", "a:1", "--upstream", "b:1"], /say which one server/],
  ] as const) {
    test(`${what}: exit code 2, and why`, async () => {
      const command = what.endsWith("call") ? ["call", "a.B/C"] : ["serve"];
      const { code, stderr } = await runCommand(...command, ...args);
      assert.equal(code, 2);
      assert.match(stderr, expected);
    });
  }

  test("with the same service end the start, with the names of both", async (t) => {
    const servers = [await startEchoServer(), await startEchoServer()];
    t.after(() => Promise.all(servers.map((server) => server.close())));
    const flags = servers.flatMap(({ address }, at) => ["--upstream", `${"ab"[at]}=${address}`]);
    for (const command of [
      ["serve", "--port", "0", ...flags],
      ["methods", ...flags],
    ]) {
      const { code, stderr } = await runCommand(...command);
      assert.equal(code, 2);
      assert.match(
        stderr,
        /sluice: the service sluice\.test\.v1\.Echo is in .* two backends, a and b; leave/,
      );
    }
  });
});
