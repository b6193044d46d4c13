import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { startCommandIn } from "./command.ts";
import { ConfigFolder } from "./config/support.ts";
import { SessionClient } from "./session-client.ts";
import { ScriptedHandler } from "./sessions/scripted-handler.ts";
import { send } from "./support.ts";

/** Within it, signals are one that came by several ways, in milliseconds. */
const oneSignalMs = 500;

const folder = new ConfigFolder();
/** Never answers the end of a session, so that the gateway has something to wait for. */
const chat = new ScriptedHandler({ disconnect: () => new Promise(() => {}) });
let echo: EchoServer;
let file = "";

before(async () => {
  echo = await startEchoServer();
  await chat.start();
  file = folder.write(`
listen: 127.0.0.1:0
drain: 60s
backends:
  chat: { target: "${chat.address}" }
  echo: { target: "${echo.address}" }
faces: { websocket: { path: /ws } }
callbacks: { backend: chat, hooks: [connect, disconnect] }
`);
});
after(async () => {
  await Promise.all([chat.kill(), echo.close()]);
});

test("a gateway that drains ends at once at a second Ctrl-C, whatever it waits for", async () => {
  const command = startCommandIn({ cwd: folder.path }, "serve", "--config", file);
  const [url] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
  const client = await new SessionClient(`${url.replace("http", "ws")}/ws`).opened();
  const cut = assert.rejects(send(`${url}/sluice.test.v1.Echo/Sleep`, "POST", {}));
  await echo.calls.until(({ records }) => records.some(({ path }) => path.endsWith("/Sleep")));
  const begin = performance.now();
  command.process.kill("SIGINT");
  // At once, it is the same one, which a terminal and npm have both sent.
  command.process.kill("SIGTERM");
  assert.equal((await client.closed).code, 1001);
  await assert.rejects(fetch(url));
  assert.equal(command.process.exitCode, null);
  const again = setInterval(() => command.process.kill("SIGINT"), 50);
  const { code, stderr } = await command.ended;
  clearInterval(again);
  assert.equal(code, 1, stderr);
  assert.ok(performance.now() - begin >= oneSignalMs);
  assert.equal(chat.of("disconnect").length, 1);
  await cut;
});
