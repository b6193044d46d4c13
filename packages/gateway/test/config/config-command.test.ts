import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { startEchoServer, startFaultProxy, type EchoServer, type FaultProxy } from "@sluice/testkit";
import { configSchemaText } from "../../src/config/config-json-schema.ts";
import { startCommandIn, type RunningCommand } from "../command.ts";
import { send } from "../support.ts";
import { ConfigFolder, least } from "./support.ts";

const folder = new ConfigFolder();
let echo: EchoServer;
let proxy: FaultProxy;
before(async () => {
  echo = await startEchoServer();
  proxy = await startFaultProxy(echo.address);
});
after(async () => {
  await proxy.close();
  await echo.close();
});

/** A call of which the server hears nothing: it knows the deadline too, and might be the first to say that it passed. */
async function late(url: string): Promise<string> {
  proxy.set({ stall: true });
  const { text } = await send(`${url}/sluice.test.v1.Echo/Sleep`, "POST", {});
  proxy.set({});
  return text;
}

function run(env: Record<string, string>, ...args: readonly string[]): RunningCommand["ended"] {
  return startCommandIn({ cwd: folder.path, env }, ...args).ended;
}

async function serving(command: RunningCommand, use: (url: string) => Promise<void>): Promise<string> {
  const [url] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
  await use(url);
  command.process.kill("SIGTERM");
  const { code, stdout, stderr } = await command.ended;
  assert.equal(code, 0, stderr);
  return stdout + stderr;
}

describe("sluice serve with a configuration", () => {
  test("serves the sluice.yaml of its folder, with variables of the environment", async () => {
    folder.write(
      "listen: 127.0.0.1:0\nbackends:\n" +
        '  echo: { target: "${ECHO}", timeout: 500ms, share: { sluice.test.v1.Echo/Repeat: {} } }\n' +
        "json: { defaults: true }\nlimits: { message: 1KiB }\n",
    );
    const env = { ECHO: proxy.address, SLUICE_LOG_LEVEL: "warn", SLUICE_LOGLEVEL: "x" };
    const command = startCommandIn({ cwd: folder.path, env }, "serve");
    const told = await serving(command, async (url) => {
      assert.deepEqual((await send(`${url}/v1/say/hello`)).json, { text: "hello" });
      assert.match(await late(url), /the deadline of 500 ms \(backends\.echo\.timeout\) passed/);
      const large = await send(`${url}/sluice.test.v1.Echo/Sleep`, "POST", { x: "x".repeat(2_000) });
      assert.equal(large.status, 413);
    });
    assert.match(told, /^sluice: echo is at http/);
    assert.match(told, /the variable SLUICE_LOGLEVEL is not known; did you mean SLUICE_LOG_LEVEL\?/);
  });

  test("serves a file of another folder, from which its paths begin; flags win", async () => {
    folder.write(readFileSync(echo.protoPath), "echo.proto");
    folder.write("<h1>hello</h1>", "index.html");
    const importPaths = JSON.stringify(echo.importPaths);
    const file = folder.write(
      `listen: 203.0.113.1:1\nfiles: .\nbackends: { echo: { target: "${proxy.address}", proto: echo.proto, protoPath: [., ${importPaths.slice(1)} } }\n`,
      "other.yaml",
    );
    const flags = ["--config", file, "--host", "127.0.0.1", "--port", "0", "--timeout", "0.5"];
    await serving(startCommandIn({ cwd: "/" }, "serve", ...flags), async (url) => {
      assert.equal((await send(`${url}/`)).text, "<h1>hello</h1>");
      assert.match(await late(url), /the deadline of 500 ms \(--timeout\) passed/);
    });
  });

  test("says which port is in use where it is that of the push API", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const file = folder.write(
      `${least}listen: 127.0.0.1:0\nfaces: { sse: { path: /events } }\npush: { listen: "127.0.0.1:${port}" }\n`,
      "taken.yaml",
    );
    const { code, stderr } = await run({}, "serve", "--config", file);
    assert.match(
      stderr,
      new RegExp(`taken\\.yaml:4:17: push\\.listen: port ${port} on 127\\.0\\.0\\.1 is in use$`, "m"),
    );
    assert.equal(code, 2);
    taken.close();
  });

  const refused: readonly [what: string, flags: readonly string[], expected: RegExp][] = [
    [
      "backends of flags too",
      ["--upstream", "x:1", "--config", "least.yaml"],
      /least\.yaml:1:1: backends and --upstream both name backends/,
    ],
    [
      "flags for backends",
      ["--config", "least.yaml", "--balance", "least_requests"],
      /--balance is for backends of --upstream; those of the configuration have balance/,
    ],
    ["a file that is not there", ["--config", "none.yaml"], /cannot read none\.yaml: there is no such file/],
  ];
  for (const [what, flags, expected] of refused) {
    test(`refuses ${what}, with exit code 2`, async () => {
      folder.write(least, "least.yaml");
      const { code, stderr } = await run({}, "serve", ...flags);
      assert.equal(code, 2);
      assert.match(stderr, expected);
    });
  }
});

describe("sluice check", () => {
  test("says what it understood", async () => {
    folder.write(
      "listen: 0.0.0.0:8080\n" +
        "backends:\n  orders: { target: dns:///orders:50051 }\n  rooms: { target: rooms:50052 }\n" +
        "faces: { websocket: { path: /ws }, packet: { types: { 7: shop.v1.Orders/Get } }, sse: { path: /events },\n" +
        "  socketio: { revisions: [3, 4], namespaces: [/, /room-*] } }\n" +
        "callbacks: { backend: rooms }\n" +
        'rooms: { "chat:*": { history: { size: 100, ttl: 5m }, presence: true, join: identified } }\n' +
        "identity: { jwt: { jwks: https://login.example.com/jwks.json } }\n" +
        "push: { token: '${PUSH_TOKEN}', listen: 0.0.0.0:9090 }\n",
    );
    const { code, stdout } = await run({ PUSH_TOKEN: "0123456789abcdef" }, "check");
    assert.equal(
      stdout,
      `sluice.yaml is valid
  listen     http://0.0.0.0:8080
  backend    orders: dns:///orders:50051, schema from reflection
  backend    rooms: rooms:50052, schema from reflection
  face       websocket at /ws (raw, session)
  face       packet at /ws, 1 type is a method
  face       sse at /events
  face       socketio at /socket.io/, /, /room-*, clients 2.x too
  rooms      chat:*: 100 kept for 5m, presence, slow: close, join: identified, publish: nobody
  identity   JSON Web Tokens
  callbacks  connect, message, disconnect to rooms
  push       at 0.0.0.0:9090, with a token
`,
    );
    assert.equal(code, 0);
  });

  test("says everything that is wrong, each with file, line and column, and ends with 1", async () => {
    folder.write("backends:\n  a: { target: x:1, tiemout: 5s }\ntimeout: 5\n", "wrong.yaml");
    const { code, stdout, stderr } = await run({}, "check", "wrong.yaml");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(
      stderr,
      `wrong.yaml:2:21: backends.a.tiemout is no key of a configuration; did you mean timeout?
  2 |   a: { target: x:1, tiemout: 5s }
    |                     ^
wrong.yaml:3:10: timeout must be a number and its unit, as in 250ms, 10s, 5m, 1h
  3 | timeout: 5
    |          ^
`,
    );
  });

  test("compiles the .proto files that a backend has", async () => {
    folder.write('syntax = "proto3";\nmessage M { strin a = 1; }\n', "broken.proto");
    folder.write("backends:\n  a: { target: x:1, proto: broken.proto }\n", "proto.yaml");
    const { code, stderr } = await run({}, "check", "proto.yaml");
    assert.equal(code, 1);
    assert.match(stderr, /^proto\.yaml:2:6: backends\.a: [\s\S]*broken\.proto:2:\d+.*"strin" is not defined/);
  });

  test("reads the keys of tokens and the tokens of the push API", async () => {
    folder.write("no key", "jwt.pem");
    folder.write("short\n", "push.tokens");
    const faces = "faces: { sse: { path: /events } }\n";
    folder.write(`${least}${faces}identity: { jwt: { publicKeyFile: jwt.pem } }\n`, "keys.yaml");
    folder.write(`${least}${faces}push: { tokenFile: push.tokens }\n`, "tokens.yaml");
    const [keys, tokens] = await Promise.all([
      run({}, "check", "keys.yaml"),
      run({}, "check", "tokens.yaml"),
    ]);
    assert.match(keys.stderr, /^keys\.yaml:3:35: identity: /);
    assert.match(tokens.stderr, /^tokens\.yaml:3:20: push\.tokenFile must have a token of at least 16 bytes/);
    assert.deepEqual([keys.code, tokens.code], [1, 1]);
    folder.write("0123456789abcdef\ntwo words of a token\n", "push.tokens");
    const spaced = await run({}, "check", "tokens.yaml");
    assert.match(
      spaced.stderr,
      /^tokens\.yaml:3:20: push\.tokenFile must have a token of .* in each of its lines/,
    );
    assert.equal(spaced.code, 1);
  });

  test("writes the JSON Schema, which is the one of the package", async () => {
    const { stdout } = await run({}, "check", "--schema");
    assert.equal(stdout, configSchemaText());
  });
});

test("the JSON Schema of the package is the one of the sources", () => {
  const published = readFileSync(new URL("../../sluice.schema.json", import.meta.url), "utf8");
  assert.ok(published === configSchemaText(), "run scripts/generate-config-schema.ts");
});
