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

  test("is not sent again to who has it, nor compressed to who cannot", async (context) => {
    const { io, port } = await IoServer.start();
    context.after(() => io.close());
    const url = `http://127.0.0.1:${port}/socket.io/socket.io.min.js`;
    const [plain] = (await once(get(url), "response")) as [IncomingMessage];
    plain.resume();
    assert.equal(plain.headers["content-encoding"], undefined);
    const { etag } = plain.headers;
    assert.equal(etag, '"4.8.4"');
    assert.equal((await fetch(url, { headers: { "If-None-Match": etag } })).status, 304);
  });

  test("may be had by pages of origins that may connect", async (context) => {
    const { io, port } = await IoServer.start({ cors: { origin: "https://example.com" } });
    context.after(() => io.close());
    const answer = await fetch(`http://127.0.0.1:${port}/socket.io/socket.io.esm.min.js`);
    assert.equal(answer.headers.get("access-control-allow-origin"), "https://example.com");
  });

  test("is missed with what to do", async (context) => {
    const { io, port } = await IoServer.start();
    context.after(() => io.close());
    const answer = await fetch(`http://127.0.0.1:${port}/socket.io/socket.io.esm.js`);
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /npm i socket\.io-client/);
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
