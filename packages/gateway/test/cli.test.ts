import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startEchoServer, testCertificates, type EchoServer } from "@sluice/testkit";
import { WebSocket } from "ws";
import { runCommand, startCommand } from "./command.ts";
import { send } from "./support.ts";

let echo: EchoServer;
let folder: string;
before(async () => {
  echo = await startEchoServer();
  folder = await mkdtemp(join(tmpdir(), "sluice-cli-"));
});
after(async () => {
  await echo.close();
  await rm(folder, { recursive: true });
});

const protoFlags = (): string[] => ["--proto", echo.protoPath, "--proto-path", ...echo.importPaths];

describe("sluice serve", () => {
  test("serves a server with reflection, and says where in one line", async () => {
    const command = startCommand("serve", "--upstream", echo.address, "--port", "0");
    const [line, url = ""] = await command.until(/^.*(http:\/\/127\.0\.0\.1:\d+).*\n/m);
    assert.match(line, new RegExp(echo.address));
    assert.deepEqual((await send(`${url}/v1/say/hello`)).json, { text: "hello" });
    command.process.kill("SIGTERM");
    const { code, stdout } = await command.ended;
    assert.deepEqual([code, stdout], [0, line]);
  });

  test("serves .proto files, over TLS to the server too", async () => {
    const secure = await startEchoServer({ tls: true, reflection: "none" });
    const ca = join(folder, "ca.pem");
    await writeFile(ca, testCertificates().ca);
    const command = startCommand(
      "serve",
      "--upstream",
      `https://localhost:${secure.port}`,
      "--upstream-ca",
      ca,
      "--port",
      "0",
      ...protoFlags(),
    );
    const [url] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
    assert.deepEqual((await send(`${url}/v1/say/hello`)).json, { text: "hello" });
    command.process.kill("SIGTERM");
    assert.equal((await command.ended).code, 0);
    await secure.close();
  });

  test("serves files where no method is bound", async () => {
    await writeFile(join(folder, "index.html"), "<h1>Hello</h1>");
    const command = startCommand("serve", "--upstream", echo.address, "--port", "0", "--files", folder);
    const [url] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
    assert.equal((await send(`${url}/`)).text, "<h1>Hello</h1>");
    assert.equal((await send(`${url}/v1/say/hello`)).text, '{"text":"hello"}');
    assert.equal((await send(`${url}/%2e%2e/%2e%2e/etc/passwd`)).status, 404);
    assert.equal((await send(`${url}/index.html`, "POST", {})).status, 404);
    command.process.kill("SIGINT");
    assert.equal((await command.ended).code, 0);
  });

  test("at SIGTERM lets calls finish, closes the WebSockets that are left with 1001, and exits with 0", async () => {
    const command = startCommand("serve", "--upstream", echo.address, "--port", "0", "--grace", "0.5");
    const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
    const endless = new WebSocket(`${url.replace("http", "ws")}/v1/converse`);
    await once(endless, "open");
    endless.send('{"text":"x"}');
    await once(endless, "message");
    const slow = send(`${url}/v1/repeat/slow?count=3&intervalMs=50`);
    await echo.calls.until(() => echo.calls.records.at(-1)?.path.endsWith("/Repeat") === true);
    command.process.kill("SIGTERM");
    assert.equal((await slow).text.trimEnd().split("\n").length, 3);
    const [code, reason] = (await once(endless, "close")) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [1001, "the gateway is shutting down"]);
    assert.equal((await command.ended).code, 0);
    await assert.rejects(fetch(url));
  });

  test("takes a Ctrl-C that npm passes on once more for one, and tells calls that are left why they end", async () => {
    const command = startCommand("serve", "--upstream", echo.address, "--port", "0", "--grace", "0.1");
    const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
    const started = echo.calls.records.length;
    const stream = fetch(`${url}/v1/repeat/x?count=0&intervalMs=1`).then((response) => response.text());
    const unary = send(`${url}/sluice.test.v1.Echo/Sleep`, "POST", {});
    await echo.calls.until((calls) => calls.started === started + 2);
    command.process.kill("SIGINT");
    command.process.kill("SIGTERM");
    const lines = (await stream).trimEnd().split("\n");
    assert.equal((JSON.parse(lines.at(-1) ?? "") as { error: { code: number } }).error.code, 14);
    assert.equal((await unary).status, 503);
    assert.equal((await command.ended).code, 0);
  });

  test("at a second signal ends at once", async () => {
    const command = startCommand("serve", "--upstream", echo.address, "--port", "0", "--grace", "60");
    const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
    const endless = new WebSocket(`${url.replace("http", "ws")}/v1/converse`);
    await once(endless, "open");
    endless.on("error", () => undefined);
    command.process.kill("SIGTERM");
    await assert.rejects(async () => {
      for (;;) await fetch(url);
    });
    // Those of the first half second are the same one, come another way.
    const again = setInterval(() => command.process.kill("SIGTERM"), 50);
    assert.equal((await command.ended).code, 1);
    clearInterval(again);
  });
});

describe("sluice methods", () => {
  test("lists each method with its kind and HTTP rules, from reflection and from files", async () => {
    const reflected = await runCommand("methods", "--upstream", echo.address);
    assert.equal(reflected.code, 0, reflected.stderr);
    assert.match(
      reflected.stdout,
      /^sluice\.test\.v1\.Echo\/Say {2}unary\n {2}POST {3}\/v1\/say {2}body: \*\n {2}GET /m,
    );
    assert.match(
      reflected.stdout,
      /^sluice\.test\.v1\.Echo\/Converse {2}bidi streaming\n {2}POST {3}\/v1\/converse/m,
    );
    assert.match(reflected.stdout, /^ {2}POST {3}\/sluice\.test\.v1\.Echo\/Sleep {2}body: \*$/m);
    const compiled = await runCommand("methods", ...protoFlags());
    assert.equal(compiled.code, 0, compiled.stderr);
    assert.ok(compiled.stdout.includes("sluice.test.v1.Echo/Say  unary\n"));
  });

  test("says where to look when nothing is named, and why a server cannot be asked", async () => {
    const nothing = await runCommand("methods");
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /--upstream HOST:PORT, --descriptor FILE or --proto FILE/);
    const unreachable = await runCommand("methods", "--upstream", "127.0.0.1:1");
    assert.equal(unreachable.code, 1);
    assert.match(unreachable.stderr, /ECONNREFUSED/);
  });
});

describe("sluice echo", () => {
  test("sends text and binary back, and ends at SIGTERM", async () => {
    const command = startCommand("echo", "--port", "0");
    const [url] = await command.until(/ws:\/\/127\.0\.0\.1:\d+/);
    const socket = new WebSocket(url);
    await once(socket, "open");
    for (const data of ["text", Buffer.of(0, 1, 255)]) {
      socket.send(data);
      const [echoed, isBinary] = (await once(socket, "message")) as [Buffer, boolean];
      assert.deepEqual(echoed, Buffer.from(data));
      assert.equal(isBinary, typeof data !== "string");
    }
    command.process.kill("SIGTERM");
    const [code] = (await once(socket, "close")) as [number];
    assert.equal(code, 1001);
    assert.equal((await command.ended).code, 0);
  });

  test("tells a plain HTTP client what it is", async () => {
    const command = startCommand("echo", "--port", "0");
    const [url = ""] = await command.until(/ws:\/\/127\.0\.0\.1:\d+/);
    const answer = await send(url.replace("ws", "http"));
    assert.equal(answer.status, 426);
    assert.match(answer.text, /WebSocket echo server/);
    command.process.kill("SIGTERM");
    assert.equal((await command.ended).code, 0);
  });
});

describe("what is given wrong", () => {
  const table: readonly [what: string, args: () => readonly string[], code: number, stderr: RegExp][] = [
    ["no command", () => [], 2, /Usage: sluice/],
    ["an unknown command", () => ["sreve"], 2, /unknown command 'sreve'[\s\S]*serve/],
    [
      "an unknown flag",
      () => ["serve", "--upstraem", "x:1"],
      2,
      /unknown option '--upstraem'[\s\S]*--upstream/,
    ],
    ["no upstream", () => ["serve"], 2, /say which gRPC server: --upstream HOST:PORT/],
    ["an upstream that is none", () => ["serve", "--upstream", "nonsense"], 2, /nonsense[\s\S]*host:port/],
    [
      "a port that is none",
      () => ["serve", "--upstream", "x:1", "--port", "http"],
      2,
      /number from 0 to 65535/,
    ],
    [
      "two sources",
      () => ["serve", "--upstream", "x:1", "--reflect", "--proto", "a.proto"],
      2,
      /give one of/,
    ],
    [
      "paths without files",
      () => ["serve", "--upstream", "x:1", "--proto-path", "."],
      2,
      /goes with --proto/,
    ],
    [
      "a folder that is none",
      () => ["serve", "--upstream", "x:1", "--files", "/none"],
      2,
      /\/none is not a folder/,
    ],
    [
      "a CA that is none",
      () => ["serve", "--upstream", "x:1", "--upstream-ca", "/none"],
      2,
      /cannot read \/none/,
    ],
    [
      "a host that is none",
      () => ["serve", "--upstream", "127.0.0.1:1", "--host", "203.0.113.1"],
      1,
      /--host/,
    ],
    [
      "a .proto that is not there",
      () => ["serve", "--upstream", "x:1", "--port", "0", "--proto", "/none.proto"],
      2,
      /none\.proto/,
    ],
    ["a set that is not there", () => ["methods", "--descriptor", "/none.binpb"], 2, /none\.binpb/],
  ];
  for (const [what, args, expected, stderr] of table) {
    test(`${what}: exit code ${expected}, and why`, async () => {
      const result = await runCommand(...args());
      assert.equal(result.code, expected, result.stderr);
      assert.match(result.stderr, stderr);
      assert.doesNotMatch(result.stderr, /^\s+at /m, "a stack trace is not an answer");
    });
  }

  test("a .proto that does not compile: file, line and message, exit code 2", async () => {
    const proto = join(folder, "broken.proto");
    await writeFile(proto, 'syntax = "proto3";\nmessage A {\n  strin a = 1;\n}\n');
    const result = await runCommand("serve", "--upstream", echo.address, "--port", "0", "--proto", proto);
    assert.equal(result.code, 2);
    assert.match(result.stderr, /broken\.proto:3:3.*"strin" is not defined/);
  });

  test("a port in use: says so, exit code 1", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const port = String((other.address() as AddressInfo).port);
    for (const args of [["serve", "--upstream", echo.address], ["echo"]]) {
      const result = await runCommand(...args, "--port", port);
      assert.equal(result.code, 1);
      assert.match(result.stderr, new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use`));
    }
    other.close();
  });

  test("a server without reflection: says what else to give, exit code 2", async () => {
    const silent = await startEchoServer({ reflection: "none" });
    const result = await runCommand("serve", "--upstream", silent.address, "--port", "0");
    assert.equal(result.code, 2);
    assert.match(result.stderr, /--descriptor|--proto/);
    await silent.close();
  });
});

test("--help and --version answer with exit code 0", async () => {
  const help = await runCommand("--help");
  assert.equal(help.code, 0);
  for (const command of ["serve", "methods", "echo"])
    assert.match(help.stdout, new RegExp(`^ {2}${command} `, "m"));
  assert.match((await runCommand("serve", "--help")).stdout, /--upstream <host:port>/);
  assert.match((await runCommand("--version")).stdout, /^\d+\.\d+\.\d+\n$/);
});
