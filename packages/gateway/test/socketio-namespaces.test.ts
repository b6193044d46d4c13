import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Hub, type Session } from "@sluice/hub";
import { Server } from "@sluice/socketio";
import { io } from "socket.io-client";
import { createLogger } from "../src/log.ts";
import { nobodyKnown } from "../src/session-host/client-identity.ts";
import { SocketIoFace } from "../src/session-host/socketio-face.ts";
import { next } from "./socketio-support.ts";

test("what a backend is told of a session that has ended brings back no namespace that was removed", async (context) => {
  const hub = new Hub();
  const hosted = {
    path: "/io",
    revisions: [4],
    namespaces: ["/room-*"],
    maxPayload: 1_000,
    recovery: false,
  } as const;
  const face = new SocketIoFace(hosted, {
    hub,
    log: createLogger("silent"),
    identity: () => nobodyKnown,
    takesTokens: false,
    headers: [],
    secrets: [],
  });
  const server = createServer((request, response) => face.handle(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  context.after(async () => {
    await face.close();
    await hub.close();
    server.close();
  });
  const came = new Promise<Session>((resolve) => hub.onConnect(resolve));
  const left = new Promise((resolve) => hub.onDisconnect(resolve));
  const { port } = server.address() as AddressInfo;
  const extraHeaders = { "grpc-metadata-mine": "1" };
  const socket = io(`http://127.0.0.1:${port}/room-7`, {
    path: "/io",
    transports: ["polling"],
    reconnection: false,
    extraHeaders,
  });
  await next(socket, "connect");
  const session = await came;
  assert.equal(face.metadataOf(session)["mine"], "1");
  socket.disconnect();
  await left;
  const of = context.mock.method(Server.prototype, "of");
  assert.deepEqual(face.metadataOf(session), { "sluice-session": session.id });
  assert.equal(of.mock.callCount(), 0);
});
