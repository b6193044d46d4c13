import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import { dirname, join } from "node:path";
import type { IncomingMessage } from "node:http";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { IoServer } from "./support/io-server.ts";

const installed = dirname(createRequire(import.meta.url).resolve("socket.io-client/package.json"));

describe("the client for browsers", () => {
  const names = [
    "socket.io.js",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.msgpack.min.js",
  ];
  for (const name of names) {
    test(`is served as ${name}`, async (context) => {
      const { io, port } = await IoServer.start();
      context.after(() => io.close());
      const answer = await fetch(`http://127.0.0.1:${port}/socket.io/${name}?v=1`);
      assert.equal(answer.status, 200);
      const type = name.endsWith(".map")
        ? "application/json; charset=utf-8"
        : "application/javascript; charset=utf-8";
      assert.equal(answer.headers.get("content-type"), type);
      assert.equal(answer.headers.get("content-encoding"), "gzip");
      assert.equal(await answer.text(), readFileSync(join(installed, "dist", name), "utf8"));
    });
  }

  for (const [asked, coding] of [
    ["gzip", "gzip"],
    ["br, gzip", "br"],
    ["br;q=0.5, gzip", "gzip"],
    ["br;q=0", undefined],
  ] as const) {
    test(`is compressed as its reader likes: ${asked}`, async (context) => {
      const { io, port } = await IoServer.start();
      context.after(() => io.close());
      const target = `http://127.0.0.1:${port}/socket.io/socket.io.min.js`;
      const [answer] = (await once(get(target, { headers: { "accept-encoding": asked } }), "response")) as [
        IncomingMessage,
      ];
      answer.resume();
      assert.equal(answer.headers["content-encoding"], coding);
      assert.equal(answer.headers.vary, "Accept-Encoding");
    });
  }

  test("is not sent again to who has it", async (context) => {
    const { io, port } = await IoServer.start();
    context.after(() => io.close());
    const url = `http://127.0.0.1:${port}/socket.io/socket.io.min.js`;
    const etag = (await fetch(url, { method: "HEAD" })).headers.get("etag") ?? "";
    assert.equal(etag, '"4.8.4"');
    assert.equal((await fetch(url, { headers: { "If-None-Match": etag } })).status, 304);
  });

  test("may be had by pages of origins that may connect", async (context) => {
    const { io, port } = await IoServer.start({ cors: { origin: "https://example.com" } });
    context.after(() => io.close());
    const answer = await fetch(`http://127.0.0.1:${port}/socket.io/socket.io.esm.min.js`);
    assert.equal(answer.headers.get("access-control-allow-origin"), "https://example.com");
  });

  test("is not there by other names, which the engine refuses", async (context) => {
    const { io, port } = await IoServer.start();
    context.after(() => io.close());
    const answer = await fetch(`http://127.0.0.1:${port}/socket.io/socket.io.esm.js`);
    assert.deepEqual(await answer.json(), { code: 0, message: "Transport unknown" });
  });

  test("is not served where it is not wanted, nor other files ever", async (context) => {
    const { io, port } = await IoServer.start({ serveClient: false });
    context.after(() => io.close());
    const asked = ["socket.io.js", "package.json", "socket.io.other.js"];
    const answers = await Promise.all(
      asked.map((name) => fetch(`http://127.0.0.1:${port}/socket.io/${name}`)),
    );
    assert.ok(answers.every(({ status }) => status >= 400));
  });
});
