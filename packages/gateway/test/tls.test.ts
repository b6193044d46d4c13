import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { startEchoServer, testCertificates, type EchoServer, type KeyPair } from "@sluice/testkit";
import { connectHttp2WebSocket } from "@sluice/websocket";
import { WebSocket } from "ws";
import { runCommand, startCommand, type RunningCommand } from "./command.ts";
import { startTestGateway } from "./support.ts";

const { ca, client, expired, server } = testCertificates();
let folder: string;
let echo: EchoServer;
let command: RunningCommand;
let url = "";
let port = 0;
const file = (name: string): string => join(folder, name);

const pair = (cert: string, key: string): string[] => ["--tls-cert", file(cert), "--tls-key", file(key)];

async function writePair({ cert, key }: KeyPair): Promise<void> {
  await writeFile(file("tls.pem"), cert);
  await writeFile(file("tls.key"), key);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-tls-"));
  await writeFile(file("ca.pem"), ca);
  await writePair(server);
  echo = await startEchoServer();
  command = startCommand(
    "serve",
    "--upstream",
    echo.address,
    "--port",
    "0",
    "--grace",
    "0",
    "--tls-cert",
    file("tls.pem"),
    "--tls-key",
    file("tls.key"),
  );
  [url = ""] = await command.until(/https:\/\/127\.0\.0\.1:\d+$/m);
  port = Number(new URL(url).port);
});
after(async () => {
  command.process.kill("SIGTERM");
  assert.equal((await command.ended).code, 0);
  await echo.close();
  await rm(folder, { recursive: true });
});

/** The subject of the certificate that the gateway shows now. */
async function shownCertificate(): Promise<string> {
  const socket: TLSSocket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

describe("TLS with clients", () => {
  test("speaks HTTP/1.1 and HTTP/2, as ALPN says", async () => {
    const over1 = await new Promise<string>((resolve, reject) => {
      const request = httpsRequest(`${url}/v1/say/x`, { ca }, (response) => {
        response.setEncoding("utf8").on("data", (text: string) => resolve(`${response.httpVersion} ${text}`));
      });
      request.on("error", reject).end();
    });
    assert.equal(over1, '1.1 {"text":"x"}');
    const session: ClientHttp2Session = connectHttp2(url, { ca });
    const stream = session.request({ ":path": "/v1/say/x" });
    const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
    assert.equal(headers[":status"], 200);
    assert.equal(session.alpnProtocol, "h2");
    stream.close();
    session.close();
    const socket = connectTls({ port, host: "127.0.0.1", ca });
    await once(socket, "secureConnect");
    // Without ALPN it is HTTP/1.1.
    socket.write("GET /v1/say/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    const [text] = (await once(socket.setEncoding("utf8"), "data")) as [string];
    assert.match(text, /^HTTP\/1\.1 200 OK/);
    socket.destroy();
  });

  for (const dialect of ["grpc", "grpc-web", "connect", "rest", "rest-websocket"]) {
    test(`carries ${dialect}`, async () => {
      const { code, stdout, stderr } = await runCommand(
        "call",
        "sluice.test.v1.Echo/Say",
        "-d",
        '{"text":"x"}',
        "--dialect",
        dialect,
        "--upstream",
        url,
        "--upstream-ca",
        file("ca.pem"),
        "--proto",
        echo.protoPath,
        "--proto-path",
        ...echo.importPaths,
      );
      assert.deepEqual([code, stdout], [0, '{"text":"x"}\n'], stderr);
    });
  }

  test("carries WebSockets of its own pages over HTTP/1.1 and HTTP/2", async () => {
    const wss = `${url.replace("https", "wss")}/v1/converse`;
    const over1 = new WebSocket(wss, { ca, origin: url });
    over1.on("open", () => over1.send('{"text":"x"}'));
    const [message] = (await once(over1, "message")) as [Buffer];
    assert.equal(message.toString(), '{"result":{"text":"x"}}');
    over1.terminate();
    const session = connectHttp2(url, { ca });
    await once(session, "remoteSettings");
    const reply = await new Promise<string>((resolve, reject) => {
      connectHttp2WebSocket(session, "/v1/converse", {
        headers: { origin: url },
        handlers: {
          message: (connection, data) => {
            resolve(data.toString());
            connection.terminate();
          },
        },
      }).then((connection) => connection.sendText(Buffer.from('{"text":"y"}')), reject);
    });
    assert.equal(reply, '{"result":{"text":"y"}}');
    session.close();
  });

  test("reads the certificate again at SIGHUP, and keeps it where the new one does not serve", async () => {
    const first = await shownCertificate();
    await writePair(expired);
    command.process.kill("SIGHUP");
    await command.until(/the certificate was read again, valid until Feb +1 00:00:00 2020 GMT/);
    const renewed = await shownCertificate();
    assert.notEqual(renewed, first);
    await writeFile(file("tls.key"), client.key);
    command.process.kill("SIGHUP");
    await command.until(/the certificate stays as it was: .*tls\.pem.*: key values mismatch/);
    assert.equal(await shownCertificate(), renewed);
    await writePair(server);
    command.process.kill("SIGHUP");
    await command.until(/valid until .* 21\d\d GMT/);
    assert.equal(await shownCertificate(), first);
  });

  test("hangs up on a client that speaks without TLS, and on one that says nothing", async (t) => {
    const sluice = await startTestGateway({ tls: server, limits: { firstBytesMs: 20 } });
    t.after(() => sluice.close());
    await assert.rejects(fetch(`${sluice.http}/v1/say/x`));
    const silent = connectTcp(sluice.port, "127.0.0.1");
    await once(silent.resume(), "close");
  });

  test("does not hold up the end with clients that have not begun", async () => {
    const sluice = await startTestGateway({ tls: server });
    const silent = connectTcp(sluice.port, "127.0.0.1").resume();
    await once(silent, "connect");
    const socket = connectTls({ port: sluice.port, host: "127.0.0.1", ca });
    await once(socket, "secureConnect");
    const closed = Promise.all([once(silent, "close"), once(socket.resume(), "close")]);
    await sluice.gateway.close(60_000);
    await closed;
    await sluice.close();
  });
});

describe("a certificate that is wrong", () => {
  const upstream = ["serve", "--upstream", "localhost:1"];
  const table: readonly [what: string, flags: () => readonly string[], expected: RegExp][] = [
    ["without its key", () => ["--tls-cert", file("tls.pem")], /--tls-cert and --tls-key go together/],
    ["a key of another", () => pair("tls.pem", "other.key"), /other\.key: key values mismatch/],
    ["a file that is not there", () => pair("none", "tls.key"), /--tls-cert: .*none is not a file/],
    ["no certificate", () => pair("tls.key", "tls.key"), /tls\.key: no start line/],
  ];
  for (const [what, flags, expected] of table) {
    test(`${what}: exit code 2, and why`, async () => {
      await writeFile(file("other.key"), client.key);
      const { code, stderr } = await runCommand(...upstream, ...flags());
      assert.equal(code, 2);
      assert.match(stderr, expected);
    });
  }
});
