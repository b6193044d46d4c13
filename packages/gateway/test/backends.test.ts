import assert from "node:assert/strict";
import { test } from "node:test";
import { startEchoServer } from "@sluice/testkit";
import { startCommand } from "./command.ts";
import { send } from "./support.ts";

const echo = "sluice.test.v1.Echo";
const library = "sluice.test.v1.Library";

test("calls go to all of several addresses, and to those that are left", async () => {
  const servers = [await startEchoServer(), await startEchoServer()];
  const [first, second] = servers;
  assert.ok(first !== undefined && second !== undefined);
  const upstream = `${first.address},${second.address}`;
  const command = startCommand(
    "serve",
    "--upstream",
    upstream,
    "--port",
    "0",
    "--retry",
    "--proto",
    first.protoPath,
  );
  const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
  for (let count = 0; count < 20; count++) assert.equal((await send(`${url}/v1/say/x`)).status, 200);
  for (const { calls } of servers) {
    assert.ok(calls.records.filter(({ path }) => path.endsWith("/Say")).length >= 5);
  }
  await first.kill();
  for (let count = 0; count < 10; count++) assert.equal((await send(`${url}/v1/say/x`)).status, 200);
  command.process.kill("SIGTERM");
  assert.equal((await command.ended).code, 0);
  await second.close();
});

test("a backend that is deployed anew is asked anew for its schema", async () => {
  const before = await startEchoServer({ services: [echo] });
  const { port } = before;
  const command = startCommand("serve", "--upstream", before.address, "--port", "0");
  const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
  assert.equal((await send(`${url}/v1/books/x`)).status, 404);
  await before.kill();
  const after = await startEchoServer({ port, services: [echo, library] });
  let answer = await send(`${url}/v1/books/x`);
  while (answer.status !== 200) {
    // A call makes the gateway connect.
    await send(`${url}/v1/say/x`);
    answer = await send(`${url}/v1/books/x`);
  }
  assert.deepEqual(answer.json, { name: "x" });
  command.process.kill("SIGTERM");
  assert.equal((await command.ended).code, 0);
  await after.close();
});
