import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { createBalancedBackend, createHttp2Backend, type BackendTlsOptions } from "@sluice/rpc";
import { startEchoServer, testCertificates, type EchoServerOptions } from "@sluice/testkit";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { message, open, run, say } from "./harness.ts";
import { answer, framed, startScriptedServer } from "./scripted-server.ts";

const { ca, client, expired, server: pair } = testCertificates();
const hello = message([1, "hello"]);

async function address(context: TestContext, tls: EchoServerOptions["tls"]): Promise<string> {
  const server = await startEchoServer({ tls: tls ?? false });
  context.after(() => server.close());
  return server.address;
}

async function outcome(context: TestContext, target: string, tls?: BackendTlsOptions): Promise<string> {
  const backend = createHttp2Backend(target, {
    clock: new FakeClock(),
    ...(tls === undefined ? {} : { tls }),
  });
  context.after(() => backend.close(0));
  const { call, heard } = open(backend, say);
  call.send(hello);
  call.halfClose();
  const status = await heard.ended();
  return `${status.code} ${status.message}`;
}

describe("TLS", () => {
  test("is spoken with an authority of one's own", async (context) => {
    const target = await address(context, true);
    assert.match(await outcome(context, target, { ca }), /^0 /);
    assert.match(await outcome(context, `https://${target}`, { ca: [ca] }), /^0 /);
    assert.match(await outcome(context, target.replace("127.0.0.1", "localhost"), { ca }), /^0 /);
  });

  test("sends https as its scheme", async (context) => {
    const schemes: unknown[] = [];
    const server = await startScriptedServer(
      (stream, headers) => {
        schemes.push(headers[":scheme"]);
        answer(stream, framed(hello));
      },
      { tls: pair },
    );
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address, { tls: { ca } });
    context.after(() => backend.close(0));
    await run(backend, say, [hello]);
    assert.deepEqual(schemes, ["https"]);
  });

  test("checks another name when it is told to", async (context) => {
    const target = await address(context, true);
    assert.match(await outcome(context, target, { ca, servername: "orders.sluice.test" }), /^0 /);
  });

  test("shows its own certificate to a server that asks for it", async (context) => {
    const target = await address(context, "mutual");
    assert.match(await outcome(context, target, { ca, ...client }), /^0 /);
    assert.match(
      await outcome(context, target, { ca }),
      /^14 the backend .* cannot be reached: .*certificate.* \(--upstream-cert/,
    );
  });

  test("says that it does not trust the server", async (context) => {
    const target = await address(context, true);
    const expected =
      /cannot be reached: its certificate is not trusted: .*\([A-Z_]+\); name its authority \(--upstream-ca, tls\.ca\)$/;
    assert.match(await outcome(context, `https://${target}`), expected);
    assert.match(await outcome(context, target, { ca: pair.cert }), expected);
  });

  test("says that the name is wrong", async (context) => {
    const target = await address(context, true);
    assert.match(
      await outcome(context, target, { ca, servername: "orders.example.com" }),
      /Hostname\/IP does not match certificate's altnames: .*orders\.example\.com.*\(ERR_TLS_CERT_ALTNAME_INVALID\); say which name its certificate has \(--upstream-server-name, tls\.serverName\)/,
    );
  });

  test("says that the server's certificate has expired", async (context) => {
    const server = await startScriptedServer((stream) => answer(stream, framed(hello)), { tls: expired });
    context.after(() => server.close());
    assert.match(
      await outcome(context, server.address, { ca: expired.cert }),
      /^14 .*cannot be reached: certificate has expired \(CERT_HAS_EXPIRED\); give the server a new certificate$/,
    );
  });

  for (const [what, tls, expected] of [
    ["an authority that is no PEM", { ca: "nonsense" }, /an authority to trust \(ca\) is not a PEM certif/],
    ["a certificate without its key", { cert: client.cert }, /a certificate and its key go together/],
    ["a certificate that is none", { cert: "x", key: client.key }, /do not serve: no start line/],
    ["a key of another certificate", { cert: client.cert, key: pair.key }, /key values mismatch/],
  ] as const) {
    test(`refuses ${what} before any call`, () => {
      for (const target of ["127.0.0.1:1", "https://127.0.0.1:1"])
        assert.throws(() => createHttp2Backend(target, { tls }), { code: "tls_invalid", message: expected });
      assert.throws(() => createBalancedBackend("dns:///localhost:1", { tls }), { code: "tls_invalid" });
    });
  }

  test("says that the server does not speak it", async (context) => {
    assert.match(
      await outcome(context, await address(context, false), { ca }),
      /^14 .*cannot be reached: TLS: .*wrong version number.*; it answers without TLS: write http/,
    );
  });

  test("is missed where the server wants it", async (context) => {
    assert.match(
      await outcome(context, await address(context, true)),
      /^14 .*cannot be reached: .*does it want TLS \(https:/,
    );
  });
});
