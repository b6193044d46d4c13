import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startChromium } from "@sluice/testkit";
import { startDemo, type Demo } from "./support.ts";

let demo: Demo;
before(async () => {
  demo = await startDemo();
});
after(() => demo.stop());

test("the demo says what to open and what to try, and both work", async () => {
  const page = await fetch(`${demo.url}/`);
  assert.match(await page.text(), /A chat room in gRPC/);
  const line = /curl (http\S+)/.exec(demo.output)?.[1] ?? "";
  assert.deepEqual(await (await fetch(line)).json(), { text: "hello" });
});

// Text, because it runs in the page as it stands.
const callAllKinds = `(async () => {
  const call = (path, texts) =>
    new Promise((resolve) => {
      const socket = new WebSocket("ws://" + location.host + path);
      const messages = [];
      socket.onmessage = ({ data }) => messages.push(JSON.parse(data));
      socket.onopen = () => texts.forEach((text) => socket.send(text));
      socket.onclose = ({ code }) => resolve({ messages, code });
    });
  return {
    unary: await call("/v1/echo/hello", []),
    serverStreaming: await call("/v1/repeat/hello?count=2", []),
    clientStreaming: await call("/v1/collect", ['{"text":"a"}', '{"text":"b"}', ""]),
    bidiStreaming: await call("/v1/converse", ['{"text":"a"}', '{"text":"b"}', ""]),
    rest: await (await fetch("/v1/echo/hello")).json(),
  };
})()`;

describe("in a real Chromium", () => {
  let browser: Awaited<ReturnType<typeof startChromium>>;
  before(async () => {
    browser = await startChromium();
  });
  after(() => browser.close());

  test("two windows chat through a bidirectional gRPC stream", async () => {
    const windows = await Promise.all(
      ["Ann", "Ben"].map(async (name) => {
        const page = await browser.newPage();
        await page.goto(demo.url);
        await page.fill("#name", name);
        return page;
      }),
    );
    const [ann, ben] = windows;
    assert.ok(ann !== undefined && ben !== undefined);
    await ann.click("#enter button");
    await ann.getByText("You are alone here").waitFor();
    await ben.click("#enter button");
    await ann.getByText("Ben has come").waitFor();
    await ann.fill("#text", "Hello, Ben <b>&amp; all</b>");
    await ann.press("#text", "Enter");
    await ben.getByText("Hello, Ben <b>&amp; all</b>").waitFor();
    await ben.fill("#text", "Grüße, Ann 👋");
    await ben.press("#text", "Enter");
    await ann.getByText("Grüße, Ann 👋").waitFor();
    if (process.env["SCREENSHOT"] !== undefined) await ann.screenshot({ path: process.env["SCREENSHOT"] });
    await ben.click("#leave");
    await ben.getByText("You have left.").waitFor();
    await ann.getByText("Ben has gone").waitFor();
    assert.equal(await ann.textContent("#state"), "You are alone here; open a second window.");
    for (const page of windows) await page.close();
  });

  test("all four kinds of calls work from a page", async () => {
    const page = await browser.newPage();
    await page.goto(demo.url);
    const kinds = await page.evaluate<unknown>(callAllKinds);
    assert.deepEqual(kinds, {
      unary: { messages: [{ text: "hello" }], code: 1000 },
      serverStreaming: {
        messages: [{ result: { text: "hello" } }, { result: { text: "hello" } }],
        code: 1000,
      },
      clientStreaming: { messages: [{ texts: ["a", "b"] }], code: 1000 },
      bidiStreaming: { messages: [{ result: { text: "a" } }, { result: { text: "b" } }], code: 1000 },
      rest: { text: "hello" },
    });
    await page.close();
  });
});

test("Ctrl-C ends the demo, all of it", async () => {
  const another = await startDemo();
  await another.stop();
  await assert.rejects(fetch(another.url));
});

test("a port in use ends the demo, all of it, and says so", { timeout: 30_000 }, async () => {
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const second = spawn(process.execPath, ["--import", "tsx", "--conditions=@sluice/source", main], {
    env: { ...process.env, PORT: new URL(demo.url).port },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  second.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  // Its streams close when the last of its processes has ended.
  const [code] = (await once(second, "close")) as [number];
  assert.equal(code, 1);
  assert.match(said, /port \d+ .*is in use/);
});
