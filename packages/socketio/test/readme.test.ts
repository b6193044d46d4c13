import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { readmeSuite } from "@sluice/testkit/readme-suite";
import { defaultEngineLimits, defaultServerLimits } from "../src/index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** What each example prints. */
const printed = {
  "chat.ts": "seen\nada: hello\n",
  "echo.ts": "hello\nwebsocket: transport close\n",
  "packets.ts":
    '51-/chat,12["photo",{"of":"ada","image":{"_placeholder":true,"num":0}}]\n' +
    "/chat 12 [ 'photo', { of: 'ada', image: <Buffer 01 02 03> } ]\n",
  "rooms.ts": "paris hears of rain in paris\n[ 'snow', 'sun' ]\noslo hears of rain in bergen\ntrue true\n",
  "socket.ts": "true\nclient namespace disconnect\n",
};

describe("the README", () => {
  readmeSuite({ tests: new URL("./", import.meta.url), printed });

  test("names every limit with its default", () => {
    for (const [name, value] of Object.entries(defaultEngineLimits)) {
      assert.ok(readme.includes(`| \`${name}\` | ${value} |`), name);
    }
    for (const [name, value] of Object.entries(defaultServerLimits)) {
      assert.ok(readme.includes(`| \`limits.${name}\` | ${value} |`), name);
    }
  });
});
