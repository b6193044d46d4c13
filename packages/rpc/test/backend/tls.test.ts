import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { createHttp2Backend, type BackendTlsOptions } from "@sluice/rpc";
import { startEchoServer, testCertificates, type EchoServerOptions } from "@sluice/testkit";
import { FakeClock } from "./fake-clock.ts";
import { message, open, run, say } from "./harness.ts";
import { answer, framed, startScriptedServer } from "./scripted-server.ts";

const { ca, client, server: pair } = testCertificates();
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
    assert.match(await outcome(context, target, { ca }), /^14 the backend .* (cannot be reached|was lost): /);
  });

  test("says that it does not trust the server", async (context) => {
    const target = await address(context, true);
    const expected =
      /cannot be reached: its certificate is not trusted: .*\([A-Z_]+\); name its authority \(ca\)$/;
    assert.match(await outcome(context, `https://${target}`), expected);
    assert.match(await outcome(context, target, { ca: pair.cert }), expected);
  });

  test("says that the name is wrong", async (context) => {
    const target = await address(context, true);
    assert.match(
      await outcome(context, target, { ca, servername: "orders.example.com" }),
      /Hostname\/IP does not match certificate's altnames: .*orders\.example\.com.*\(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    );
  });

  test("says that the server does not speak it", async (context) => {
    assert.match(
      await outcome(context, await address(context, false), { ca }),
      /^14 .*cannot be reached: TLS: .*wrong version number.*is it a gRPC server/,
    );
  });

  test("is missed where the server wants it", async (context) => {
    assert.match(
      await outcome(context, await address(context, true)),
      /^14 .*cannot be reached: .*TLS set as it wants/,
    );
  });
});
