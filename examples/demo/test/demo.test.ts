import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startChromium } from "@sluice/testkit";
import type { Page } from "playwright-core";
import { startDemo, startServers, takeScreenshots, type Demo } from "./support.ts";

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

async function say(page: Page, text: string): Promise<void> {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

describe("in a real Chromium", () => {
  let browser: Awaited<ReturnType<typeof startChromium>>;
  before(async () => {
    browser = await startChromium();
  });
  after(() => browser.close());

  /** A window in which somebody has joined the room. */
  async function join(url: string, name: string): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(url);
    await page.fill("#name", name);
    await page.click("#enter button");
    await page.locator("#chat").waitFor();
    return page;
  }

  test("two windows chat through a bidirectional stream, with the generated client", async () => {
    const ann = await join(demo.url, "Ann");
    await ann.getByText("You are alone here").waitFor();
    assert.equal(await ann.textContent("#state"), "Connected");
    const ben = await join(demo.url, "Ben");
    await ann.getByText("Ben has come").waitFor();
    await say(ann, "Hello, Ben <b>&amp; all</b>");
    await ben.getByText("Hello, Ben <b>&amp; all</b>").waitFor();
    await say(ben, "Grüße, Ann 👋");
    await ann.getByText("Grüße, Ann 👋").waitFor();
    await takeScreenshots(ann, "chat");
    await ben.click("#leave");
    await ben.getByText("You have left.").waitFor();
    await ann.getByText("Ben has gone").waitFor();
    assert.equal(await ann.textContent("#members"), "You are alone here; open a second window.");
    await ben.click("#enter button");
    await ann.getByText("2 are here.").waitFor();
    for (const page of [ann, ben]) await page.close();
  });

  test("a room that lets nobody in says why", async () => {
    const page = await browser.newPage();
    await page.goto(demo.url);
    await page.fill("#name", "Ann");
    await page.fill("#room", " ");
    await page.click("#enter button");
    await page.getByText("The room did not let you in: the first message names no room").waitFor();
    await page.locator("#enter").waitFor();
    await takeScreenshots(page, "refused");
    await page.close();
  });

  for (const [how, signal] of [
    ["is killed", "SIGKILL"],
    ["is shut down", "SIGTERM"],
  ] as const) {
    test(`the gateway ${how} and comes back, and the chat goes on`, { timeout: 120_000 }, async () => {
      const servers = await startServers();
      const windows = [await join(servers.url, "Ann"), await join(servers.url, "Ben")] as const;
      const [ann, ben] = windows;
      const cleo = await join(servers.url, "Cleo");
      await cleo.getByText("3 are here.").waitFor();
      await servers.stopGateway(signal);
      for (const page of windows) await page.getByText("The connection was lost.").waitFor();
      await say(ann, "Are you there?");
      await ann.locator(".pending", { hasText: "Are you there?" }).waitFor();
      await takeScreenshots(ann, "away");
      await cleo.click("#leave");
      await cleo.getByText("You have left.").waitFor();
      await servers.startGateway();
      for (const page of windows) {
        // "Try now", which is there while the page waits.
        await page.dispatchEvent("#retry", "click");
        await page.getByText("Connected again (reconnected once)").waitFor();
        await page.getByText("2 are here.").waitFor();
      }
      await ann.locator(".own", { hasText: "Are you there?" }).waitFor();
      assert.equal(await ann.locator(".pending").count(), 0);
      await say(ben, "Here I am.");
      await ann.getByText("Here I am.").waitFor();
      for (const page of [...windows, cleo]) await page.close();
      await servers.stop();
    });
  }

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

test("windows that are closed in the middle of a chat are nothing to complain of", () => {
  assert.doesNotMatch(demo.errors(), /"status"/);
});

test("Ctrl-C ends the demo, all of it", async () => {
  const another = await startDemo();
  await another.stop();
  await assert.rejects(fetch(another.url));
});

test("a port in use ends the demo, all of it, and says so", { timeout: 60_000 }, async () => {
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
