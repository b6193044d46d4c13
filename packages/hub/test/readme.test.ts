import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readmeSuite, sourceFlags } from "@sluice/testkit/readme-suite";
import { connectWebSocket, MessageInbox } from "@sluice/websocket";
import { CloseCode, defaultHubLimits } from "../src/index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** What each example prints. */
const printed = {
  // A server; see below.
  "chat.ts": undefined,
  "handlers.ts": `grace: Error: nobody understands "hello?"
sent "ada, grace"
sent 3 bytes
grace lives
closed by the client with 1000
ada is gone: 1000 
grace is gone: 1000 see you
`,
  "permissions.ts": `4403 no such key
joined
{"id":2,"error":{"code":"PERMISSION_DENIED","message":"This client may not publish to this room."}}
`,
  "resume.ts": `1: welcome
1 is away
1 is back, after less than 30 seconds
2: said meanwhile
3: and this is new
`,
  "rooms.ts": `1 joined chat:lobby
you are at 0 of the lobby
2 joined chat:lobby
hello
2 sessions of 0 users
1: hello
1 left chat:lobby
2 left chat:lobby
`,
};

describe("the README", { timeout: 60_000 }, () => {
  readmeSuite({ tests: new URL("./", import.meta.url), printed });

  test("shows a chat of less than 15 lines, and people talk in it", async () => {
    const file = fileURLToPath(new URL("examples/chat.ts", import.meta.url));
    assert.ok(readFileSync(file, "utf8").trimEnd().split("\n").length < 15);
    const port = await freePort();
    const chat = spawn(process.execPath, [...sourceFlags, file], {
      env: { ...process.env, PORT: String(port) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(chat.stdout, "data");
      const [ada, grace] = [new MessageInbox(), new MessageInbox()];
      const url = `ws://localhost:${port}/`;
      const first = await connectWebSocket(url, { handlers: ada });
      const second = await connectWebSocket(url, { handlers: grace });
      assert.equal(await said(ada), "2 came");
      second.send("hello");
      assert.equal(await said(ada), "2: hello");
      assert.equal(await said(grace), "2: hello");
      first.close();
      assert.equal(await said(grace), "1 left");
      second.close();
    } finally {
      chat.kill();
    }
  });

  test("names every limit with its default, and every close code", () => {
    for (const [name, value] of Object.entries(defaultHubLimits)) {
      const row = readme.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
      assert.ok(row?.replaceAll(",", "").includes(`| ${value} |`), `${name}: ${row ?? "missing"}`);
    }
    for (const [name, code] of Object.entries(CloseCode)) {
      assert.ok(readme.includes(`| ${code} | `), `${name} (${code}) is missing`);
    }
  });
});

async function said(inbox: MessageInbox): Promise<string> {
  for await (const { data } of inbox) return data.toString();
  return "nothing";
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0), "listening");
  const { port } = server.address() as { port: number };
  await promisify(server.close.bind(server))();
  return port;
}
