import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { testCertificates } from "@sluice/testkit";
import { pino } from "pino";
import { backendSources } from "../src/config/backend-sources.ts";
import { gatewayOptions } from "../src/config/gateway-options.ts";
import { sessionOptions } from "../src/config/session-options.ts";
import { Gateway } from "../src/index.ts";
import { callbackSource } from "../src/session-host/callback-source.ts";
import { upstreamFromSource } from "../src/upstream-source.ts";
import { ConfigFolder } from "./config/support.ts";
import { SessionClient } from "./session-client.ts";
import { ScriptedHandler } from "./sessions/scripted-handler.ts";

const { ca, client, server } = testCertificates();
const folder = new ConfigFolder();
folder.write(ca, "ca.pem");
folder.write(client.cert, "client.pem");
folder.write(client.key, "client.key");

const trusting = "tls: { ca: ca.pem }";
const showing = "tls: { ca: ca.pem, cert: client.pem, key: client.key }";

/** A backend with TLS that answers messages with what they say; `isMutual`, only to those that show a certificate. */
async function startHandler(context: TestContext, isMutual: boolean): Promise<ScriptedHandler> {
  const handler = new ScriptedHandler({
    connect: () => ({ identity: { user: "ada" } }),
    message: ({ session, payload }) => {
      const text = `${session?.user}: ${payload?.data.case === "text" ? payload.data.value : ""}`;
      return { reply: { data: { case: "text", value: text } } };
    },
  });
  const pair = { cert_chain: Buffer.from(server.cert), private_key: Buffer.from(server.key) };
  handler.credentials = grpc.ServerCredentials.createSsl(Buffer.from(ca), [pair], isMutual);
  context.after(() => handler.kill());
  return handler.start();
}

/** The gateway that `sluice serve` makes of a configuration; answers the URL of its WebSockets, and what it logs. */
async function startGateway(
  context: TestContext,
  { port }: ScriptedHandler,
  tls: string,
  streams: number,
): Promise<{ readonly url: string; readonly log: readonly string[] }> {
  const log: string[] = [];
  const loaded = folder.load(`
backends:
  chat: { target: "localhost:${port}", ${tls}, backoff: { initial: 5ms, max: 20ms } }
faces: { websocket: { path: /ws, protocols: [raw, session] } }
callbacks: { backend: chat, hooks: [connect, message, disconnect], streams: ${streams}, connectWait: 300ms }
`);
  const sessions = sessionOptions(loaded);
  assert.ok(sessions);
  const gateway = new Gateway({
    ...gatewayOptions(loaded),
    sessions,
    upstreams: backendSources(loaded).map((source) => upstreamFromSource(callbackSource(source))),
    log: pino({ base: null }, { write: (line) => void log.push(line) }),
  });
  context.after(() => gateway.close(0));
  const { port: own } = await gateway.start("127.0.0.1", 0);
  return { url: `ws://127.0.0.1:${own}/ws`, log };
}

const wires: readonly [name: string, isMutual: boolean, tls: string][] = [
  ["TLS", false, trusting],
  ["mutual TLS", true, showing],
];
for (const [name, isMutual, tls] of wires) {
  for (const streams of [0, 1]) {
    const how = streams === 0 ? "in calls" : "on a stream";
    test(`a backend is told of sessions over ${name} ${how}, also once it is back`, async (context) => {
      const handler = await startHandler(context, isMutual);
      const { url } = await startGateway(context, handler, tls, streams);
      const ada = await new SessionClient(url, ["sluice.session.v1"]).opened();
      ada.say({ connect: {} });
      await ada.next();
      ada.say({ send: "hello", id: 1 });
      assert.deepEqual(await ada.nextJson(), { id: 1, ok: { data: "ada: hello" } });
      await handler.kill();
      ada.say({ send: "anybody?", id: 2 });
      await handler.start();
      assert.deepEqual(await ada.nextJson(), { id: 2, ok: { data: "ada: anybody?" } });
      await ada.close();
      while (handler.of("disconnect").length === 0) await new Promise(setImmediate);
      assert.equal(handler.of("disconnect")[0]?.code, 1000);
      assert.equal(handler.streams > 0, streams > 0);
    });
  }
}

describe("nobody is let in, and the backend is told of nobody,", () => {
  const table: readonly [why: string, isMutual: boolean, tls: string, cause: RegExp][] = [
    [
      "where the gateway has no certificate to show",
      true,
      trusting,
      /wants to see a certificate of the gateway/,
    ],
    ["where the backend's certificate is not trusted", false, "tls: true", /its certificate is not trusted/],
    [
      "where the backend's certificate is for another name",
      false,
      "tls: { ca: ca.pem, serverName: a.example }",
      /does not match.*a\.example/,
    ],
    ["where the gateway speaks no TLS", false, "tls: false", /does it want TLS/],
  ];
  for (const [why, isMutual, tls, cause] of table) {
    test(why, async (context) => {
      const handler = await startHandler(context, isMutual);
      const { url, log } = await startGateway(context, handler, tls, 0);
      const { code, reason } = await new SessionClient(url).closed;
      assert.deepEqual([code, reason], [1013, "the backend is away; try again later"]);
      assert.deepEqual(handler.told, []);
      const told = log.filter((line) => line.includes("connect has failed at chat"));
      assert.match(told.join(), cause);
    });
  }
});
