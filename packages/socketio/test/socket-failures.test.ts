import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { io as connect } from "socket.io-client";
import { Inbox } from "./support/inbox.ts";

test("what listeners throw goes where uncaught errors go, and costs nobody a socket or another event", async (context) => {
  const child = fork(fileURLToPath(new URL("fixtures/failing-listener.ts", import.meta.url)), {
    execArgv: ["--import", "tsx", "--conditions=@sluice/source"],
  });
  context.after(() => child.kill());
  const told = new Inbox<unknown>();
  child.on("message", (message) => told.add(message));
  const client = connect(`http://127.0.0.1:${Number(await told.next())}`, { reconnection: false });
  context.after(() => client.disconnect());

  client.on("ask", (answer: () => void) => answer());
  for (const [event, message] of [
    ["listener", "a listener failed"],
    ["ask", "a callback failed"],
    ["middleware", "a middleware failed"],
  ] as const) {
    client.emit(event);
    assert.equal(await client.emitWithAck("answer"), "still here");
    assert.equal(await told.next(), message);
  }

  client.disconnect();
  const both = [await told.next(), await told.next()];
  assert.deepEqual(both, ["in rooms: 0, sockets: 0", "disconnecting failed"]);
});
