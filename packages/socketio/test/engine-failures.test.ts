import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectClient, PollingClient } from "./support/engine.ts";
import { Inbox } from "./support/inbox.ts";

test("a handler that throws costs its session, and the error goes where uncaught ones go", async (context) => {
  const child = fork(fileURLToPath(new URL("fixtures/failing-handler.ts", import.meta.url)), {
    execArgv: ["--import", "tsx", "--conditions=@sluice/source"],
  });
  context.after(() => child.kill());
  const told = new Inbox<unknown>();
  child.on("message", (message) => told.add(message));
  const url = `http://127.0.0.1:${Number(await told.next())}/engine.io/`;

  const client = new PollingClient(url);
  await client.open();
  const response = await client.post("4fail\x1e4never");
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { code: 3, message: "the endpoint failed" });
  assert.deepEqual(
    [await told.next(), await told.next()],
    ["polling: transport error: SocketIoError: the endpoint failed", "the application failed"],
  );

  const { connection, closed } = await connectClient(`${url}?EIO=4&transport=websocket`);
  connection.send("4fail");
  assert.equal((await closed.next()).code, 1011);
  const both = [await told.next(), await told.next()];
  assert.ok(both.includes("the application failed"));
  assert.ok(both.includes("websocket: transport error: WebSocketError: the endpoint failed"), String(both));

  const other = new PollingClient(url);
  await other.open();
  await other.post("4a");
  assert.equal(await other.poll(), "4a");
});
