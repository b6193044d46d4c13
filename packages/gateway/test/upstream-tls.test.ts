import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startEchoServer, testCertificates, type EchoServer } from "@sluice/testkit";
import { runCommand, startCommand } from "./command.ts";
import { send } from "./support.ts";

let folder: string;
let mutual: EchoServer;
let secure: EchoServer;
let plain: EchoServer;
const file = (name: string): string => join(folder, name);
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-tls-"));
  const { ca, client, server } = testCertificates();
  await writeFile(file("ca.pem"), ca);
  await writeFile(file("client.pem"), client.cert);
  await writeFile(file("client.key"), client.key);
  await writeFile(file("server.key"), server.key);
  mutual = await startEchoServer({ tls: "mutual", services: ["sluice.test.v1.Echo"] });
  secure = await startEchoServer({ tls: true });
  plain = await startEchoServer({ services: ["sluice.test.v1.Library"] });
});
after(async () => {
  await Promise.all([mutual.close(), secure.close(), plain.close()]);
  await rm(folder, { recursive: true });
});

const caFlags = (): string[] => ["--upstream-ca", file("ca.pem")];
const clientFlags = (): string[] => [
  "--upstream-cert",
  file("client.pem"),
  "--upstream-key",
  file("client.key"),
];

describe("TLS with backends", () => {
  test("shows a certificate, and leaves out a backend that says http://", async () => {
    const command = startCommand(
      "serve",
      "--upstream",
      mutual.address,
      "--upstream",
      `http://${plain.address}`,
      "--port",
      "0",
      ...caFlags(),
      ...clientFlags(),
    );
    const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+$/m);
    assert.deepEqual((await send(`${url}/v1/say/x`)).json, { text: "x" });
    assert.deepEqual((await send(`${url}/v1/books/x`)).json, { name: "x" });
    command.process.kill("SIGTERM");
    assert.equal((await command.ended).code, 0);
  });

  test("checks the name that it is told, for a name whose addresses are looked up too", async () => {
    const target = `dns:///localhost:${secure.port}`;
    const named = ["--upstream-server-name", "orders.sluice.test"];
    const { code, stdout, stderr } = await runCommand(
      "methods",
      "--upstream",
      target,
      ...caFlags(),
      ...named,
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /sluice\.test\.v1\.Echo\/Say/);
  });

  test("says what is wrong in the log and to the client, and what to do", async () => {
    for (const [flags, expected] of [
      [
        ["--upstream-tls"],
        /its certificate is not trusted: .*; name its authority \(--upstream-ca, tls\.ca\)/,
      ],
      [
        [...caFlags(), "--upstream-server-name", "orders.example.com"],
        /does not match.*orders\.example\.com.*; say which name its certificate has \(--upstream-server-name, tls\.serverName\)/,
      ],
      [[], /does it want TLS \(https:/],
    ] as const) {
      const command = startCommand("serve", "--upstream", secure.address, "--port", "0", ...flags);
      const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+$/m);
      const answer = await send(`${url}/v1/say/x`);
      assert.equal(answer.status, 503);
      assert.match((answer.json as { message: string }).message, expected);
      command.process.kill("SIGTERM");
      assert.match((await command.ended).stderr, expected);
    }
  });

  test("is spoken by sluice call too", async () => {
    const { code, stdout, stderr } = await runCommand(
      "call",
      "sluice.test.v1.Echo/Say",
      "-d",
      '{"text":"x"}',
      "--upstream",
      mutual.address,
      ...caFlags(),
      ...clientFlags(),
    );
    assert.deepEqual([code, stdout], [0, '{"text":"x"}\n'], stderr);
  });
});

describe("TLS flags that are wrong", () => {
  const table: readonly [what: string, flags: () => readonly string[], expected: RegExp][] = [
    [
      "a certificate alone",
      () => clientFlags().slice(0, 2),
      /--upstream-cert and --upstream-key go together/,
    ],
    ["a file that is not there", () => ["--upstream-ca", "/none"], /--upstream-ca: cannot read \/none/],
    [
      "a key as authority",
      () => ["--upstream-ca", file("client.key")],
      /not a PEM certificate \(--upstream-ca/,
    ],
    [
      "a key of another",
      () => ["--upstream-cert", file("client.pem"), "--upstream-key", file("server.key")],
      /key values mismatch \(--upstream-ca, --upstream-cert, --upstream-key\)/,
    ],
  ];
  for (const [what, flags, expected] of table) {
    test(`${what}: exit code 2, and why`, async () => {
      const { code, stderr } = await runCommand("serve", "--upstream", "localhost:1", ...flags());
      assert.equal(code, 2);
      assert.match(stderr, expected);
    });
  }

  test("an address that says http://: exit code 2, and why", async () => {
    const { code, stderr } = await runCommand("serve", "--upstream", "http://localhost:1", ...caFlags());
    assert.equal(code, 2);
    assert.match(stderr, /says no TLS, but TLS is set; write https/);
  });
});
