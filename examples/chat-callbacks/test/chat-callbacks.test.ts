import assert from "node:assert/strict";
import { after, before, describe, test, type TestContext } from "node:test";
import { startChromium } from "@sluice/testkit";
import type { Page } from "playwright-core";
import { Chat, findPython, typescript, type Command } from "./support.ts";

let browser: Awaited<ReturnType<typeof startChromium>>;
before(async () => {
  browser = await startChromium();
});
after(() => browser.close());

/** A window in which somebody has come into the chat. */
async function enter(context: TestContext, { url }: Chat, name: string): Promise<Page> {
  const page = await browser.newPage();
  context.after(() => page.close());
  await page.goto(url);
  await say(page, name);
  await page.getByText(`${name} has come`).waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill("input", text);
  await page.press("input", "Enter");
}

const python = findPython();
const backends: readonly (readonly [string, Command | undefined])[] = [
  ["TypeScript", typescript],
  ["Python", python],
];

for (const [language, command] of backends) {
  const skip = command === undefined && "there is no Python with grpcio: run scripts/setup";
  describe(`with the backend in ${language}`, { skip }, () => {
    let chat: Chat;
    before(async () => {
      if (command !== undefined) chat = await Chat.start(command);
    });
    after(() => chat.stop());

    test("two windows chat, and each is told who comes and goes", async (context) => {
      const ann = await enter(context, chat, "Ann");
      const ben = await enter(context, chat, "Ben");
      await ann.getByText("Ben has come").waitFor();
      await say(ann, "Hello <b>Ben</b> 👋");
      await ben.getByText("AnnHello <b>Ben</b> 👋").waitFor();
      if (process.env["SCREENSHOTS"] !== undefined)
        await ben.screenshot({ path: `${process.env["SCREENSHOTS"]}/chat-callbacks-${language}.png` });
      await ann.close();
      await ben.getByText("Ann has gone").waitFor();
    });

    test("a reminder comes by the push API, to the one who asked for it", async (context) => {
      const ann = await enter(context, chat, "Ann");
      const ben = await enter(context, chat, "Ben");
      await say(ann, "/remind 1 tea");
      await ann.getByText("You will be reminded in 1 seconds.").waitFor();
      await ann.getByText("Remember: tea").waitFor();
      await say(ann, "that was it");
      await ben.getByText("that was it").waitFor();
      assert.doesNotMatch((await ben.textContent("#lines")) ?? "", /tea|reminded/);
    });

    test("the backend is killed and comes back, and nobody has left the chat", async (context) => {
      const ann = await enter(context, chat, "Ann");
      const ben = await enter(context, chat, "Ben");
      await chat.killBackend();
      await say(ann, "Is anybody there?");
      await chat.startBackend();
      await say(ann, "Again?");
      await ben.getByText("Again?").waitFor();
      assert.equal(await ann.textContent("#state"), "You are Ann.");
      assert.doesNotMatch((await ben.textContent("#lines")) ?? "", /gone|missed/);
    });
  });
}

test("who says no name is told so", async (context) => {
  const chat = await Chat.start(typescript);
  context.after(() => chat.stop());
  const socket = new (await import("ws")).WebSocket(`${chat.url.replace("http", "ws")}/ws`);
  const [code, reason] = await new Promise<[number, string]>((resolve) => {
    socket.on("close", (closed, why) => resolve([closed, why.toString()]));
  });
  assert.deepEqual([code, reason], [4400, "say who you are: /ws?name=Ann"]);
});
