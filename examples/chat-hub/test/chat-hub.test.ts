import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startChromium } from "@sluice/testkit";

const folder = fileURLToPath(new URL("..", import.meta.url));
const args = ["--import", "tsx", "--conditions=@sluice/source", "src/server.ts"];

test("two windows chat, and each is told who comes and goes", async (context) => {
  const server = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => server.kill());
  const [line] = (await once(createInterface(server.stdout), "line")) as [string];
  const url = /http:\S+/.exec(line)?.[0] ?? "";
  const browser = await startChromium();
  context.after(() => browser.close());

  const open = async (name: string): ReturnType<typeof browser.newPage> => {
    const page = await browser.newPage();
    page.once("dialog", (dialog) => dialog.accept(name));
    await page.goto(url);
    await page.getByText(`${name} has come`).waitFor();
    return page;
  };
  const ann = await open("Ann");
  const ben = await open("Ben");
  await ann.getByText("Ben has come").waitFor();
  await ann.fill("input", "Hello <b>Ben</b>");
  await ann.press("input", "Enter");
  await ben.getByText("Ann: Hello <b>Ben</b>").waitFor();
  if (process.env["SCREENSHOTS"] !== undefined)
    await ben.screenshot({ path: `${process.env["SCREENSHOTS"]}/chat-hub.png` });
  await ann.close();
  await ben.getByText("Ann has gone").waitFor();
});

test("the server is one file of fewer than 40 lines, its page among them", () => {
  const { length } = readFileSync(`${folder}/src/server.ts`, "utf8").split("\n");
  assert.ok(length < 40, `it has ${length} lines`);
});
