import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { testCertificates } from "@sluice/testkit";
import { EngineServer } from "../src/index.ts";
import { connectClient } from "./support/engine.ts";

test("an engine serves over TLS too, and its sessions know", async (context) => {
  const { ca, server } = testCertificates();
  const engine = new EngineServer({}, { message: (session, data) => void session.send(data) });
  const https = createServer(server);
  engine.attach(https);
  await once(https.listen(0, "127.0.0.1"), "listening");
  context.after(() => {
    https.close();
    https.closeAllConnections();
  });
  const { port } = https.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}/engine.io/?EIO=4&transport=`;
  const [response] = (await once(get(`${url}polling`, { ca }), "response")) as [IncomingMessage];
  assert.match(await text(response), /^0\{/);
  const { connection, messages } = await connectClient(`${url}websocket`, { tls: { ca } });
  await messages.next();
  connection.send("4a");
  assert.equal(await messages.next(), "4a");
  assert.deepEqual(
    [...engine.sessions.values()].map(({ handshake }) => handshake.secure),
    [true, true],
  );
});
