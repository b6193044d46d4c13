import assert from "node:assert/strict";
import { test } from "node:test";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { io } from "socket.io-client";
import { SessionClient } from "./session-client.ts";
import { ScriptedHandler } from "./sessions/scripted-handler.ts";
import { ask, next, startSocketIoGateway } from "./socketio-support.ts";

const reason = "the identity has expired";

test("on every face, a session ends when what the backend has said of its client does", async (context) => {
  // Each token is a number, which is for how many milliseconds it holds.
  const chat = await new ScriptedHandler({
    connect: ({ token }) => ({
      identity: { user: "ada", expiresAt: timestampFromMs(Date.now() + Number(token)) },
    }),
    message: ({ payload }) => ({ reply: payload! }),
  }).start();
  const { gateway, url } = await startSocketIoGateway({
    chat,
    sessions: {
      sockets: [{ path: "/ws", faces: ["websocket", "session"] }],
      events: "/events",
      callbacks: { backend: "chat", hooks: ["connect", "message", "disconnect"] },
    },
  });
  context.after(async () => {
    await gateway.close(0);
    await chat.kill();
  });
  const authorization = "Bearer 300";
  const ws = `${url.replace("http", "ws")}/ws`;
  const raw = await new SessionClient(ws, [], { authorization }).opened();
  const wire = await new SessionClient(ws, ["sluice.session.v1"], { authorization }).opened();
  wire.say({ connect: {} });
  const events = await fetch(`${url}/events`, { headers: { accept: "text/event-stream", authorization } });
  const tokens = ["300", "60000"];
  const socket = io(url, {
    path: "/io",
    transports: ["websocket"],
    reconnectionDelay: 1,
    reconnectionDelayMax: 1,
    auth: (give) => give({ token: tokens.shift() }),
  });
  context.after(() => socket.disconnect());
  await next(socket, "connect");
  const told = next(socket, "sluice.close");

  assert.deepEqual(await raw.closed, { code: 4401, reason });
  assert.deepEqual(await wire.closed, { code: 4401, reason });
  assert.match(await events.text(), new RegExp(`event: sluice.close\ndata: .*4401.*${reason}`));
  assert.deepEqual(await told, [{ code: 4401, reason }]);
  // It comes back by itself, with what its function for that gives then.
  await next(socket, "connect");
  assert.deepEqual(await ask(socket, "say", "here again"), ["here again"]);
  while (chat.of("disconnect").length < 4) await new Promise(setImmediate);
  assert.deepEqual(
    chat.of("disconnect").map(({ code }) => code),
    [4401, 4401, 4401, 4401],
  );
});
