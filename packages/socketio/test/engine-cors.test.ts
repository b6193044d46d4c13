import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WebSocketError } from "@sluice/websocket";
import type { CorsOptions, CorsOptionsDelegate, EngineOptions } from "../src/index.ts";
import { connectClient, PollingClient, startEngine } from "./support/engine.ts";

const page = "https://app.example.com";
const query = "?EIO=4&transport=polling";

/** The headers of CORS among those of an answer. */
function corsOf({ headers }: Response): Record<string, string> {
  const found = [...headers].filter(([name]) => name.startsWith("access-control-") || name === "vary");
  return Object.fromEntries(found);
}

function isForbidden(error: unknown): boolean {
  return error instanceof WebSocketError && error.status === 403;
}

describe("pages of other origins", () => {
  test("can read nothing by default, and have no preflight", async (context) => {
    const { url } = await startEngine(context);
    assert.deepEqual(corsOf(await fetch(url + query, { headers: { Origin: page } })), {});
    const preflight = await fetch(url + query, { method: "OPTIONS", headers: { Origin: page } });
    assert.equal(preflight.status, 400);
    assert.deepEqual(corsOf(preflight), {});
  });

  const named = { "access-control-allow-origin": page, vary: "Origin" };
  for (const [cors, expected, origin = page] of [
    [{}, { "access-control-allow-origin": "*" }],
    [{ origin: "*" }, { "access-control-allow-origin": "*" }],
    [{ origin: true }, named],
    [{ origin: page }, named],
    [{ origin: page }, named, "https://evil.example"],
    [{ origin: [page, "https://b.example"] }, named],
    [{ origin: [/^https:\/\/\w+\.example\.com$/] }, named],
    [{ origin: /example\.com$/g }, named],
    [{ origin: ["https://b.example"] }, { vary: "Origin" }],
    [{ origin: false }, {}],
    [
      { origin: page, credentials: true, exposedHeaders: ["X-A", "X-B"] },
      {
        ...named,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "X-A,X-B",
      },
    ],
    [
      {
        origin: (asked: string | undefined, decide: (error: null, allowed: boolean) => void) =>
          decide(null, asked === page),
      },
      named,
    ],
    [
      (_request: unknown, decide: (error: null, options: CorsOptions) => void) =>
        decide(null, { origin: page }),
      named,
    ],
  ] as readonly (readonly [CorsOptions | CorsOptionsDelegate, Record<string, string>, string?])[]) {
    test(`are told ${JSON.stringify(expected)} for ${JSON.stringify(cors)}`, async (context) => {
      const { url } = await startEngine(context, { cors });
      for (let turn = 0; turn < 2; turn++) {
        const response = await fetch(url + query, { headers: { Origin: origin } });
        assert.deepEqual(corsOf(response), expected);
        assert.equal(response.status, 200);
      }
      const refused = await fetch(`${url}?EIO=4&transport=abc`, { headers: { Origin: origin } });
      assert.equal(refused.status, 400);
      assert.deepEqual(corsOf(refused), expected);
    });
  }

  test("have their preflights answered", async (context) => {
    const cors = { origin: [page], methods: ["GET", "POST"], credentials: true, maxAge: 60 };
    const { url } = await startEngine(context, { cors });
    const headers = { Origin: page, "Access-Control-Request-Headers": "x-token" };
    const preflight = await fetch(url, { method: "OPTIONS", headers });
    assert.equal(preflight.status, 204);
    assert.deepEqual(corsOf(preflight), {
      "access-control-allow-origin": page,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET,POST",
      "access-control-allow-headers": "x-token",
      "access-control-max-age": "60",
      vary: "Origin, Access-Control-Request-Headers",
    });
    const other = await startEngine(context, {
      cors: { allowedHeaders: "x-own", optionsSuccessStatus: 200 },
    });
    const second = await fetch(other.url, { method: "OPTIONS", headers });
    assert.equal(second.status, 200);
    assert.equal(second.headers.get("access-control-allow-headers"), "x-own");
    assert.equal(second.headers.get("access-control-allow-methods"), "GET,HEAD,PUT,PATCH,POST,DELETE");
  });

  test("are refused where who decides has failed", async (context) => {
    const { url } = await startEngine(context, {
      cors: { origin: (_origin, decide) => decide(new Error("secret")) },
    });
    const response = await fetch(url + query, { headers: { Origin: page } });
    assert.deepEqual(await response.json(), { code: 3, message: "Bad request" });
  });

  for (const [what, options, allowed] of [
    ["none are allowed", {}, false],
    ["others are allowed", { cors: { origin: ["https://b.example"] } }, false],
    ["one other is allowed", { cors: { origin: "https://b.example" } }, false],
    ["theirs is allowed", { cors: { origin: page } }, true],
    ["all are allowed", { cors: { origin: "*" } }, true],
    ["the option origin allows any", { origin: "any" }, true],
    ["the option origin allows theirs", { origin: [page] }, true],
  ] as readonly (readonly [string, EngineOptions, boolean])[]) {
    test(`${allowed ? "can" : "cannot"} open WebSockets where ${what}`, async (context) => {
      const { url, engine, port } = await startEngine(context, options);
      const codes: unknown[] = [];
      engine.on("connection_error", (error) => codes.push([error.code, error.context.name]));
      const target = `${url}?EIO=4&transport=websocket`;
      const connecting = connectClient(target, { headers: { Origin: page } });
      if (allowed) {
        await (await connecting).messages.next();
      } else {
        await assert.rejects(connecting, isForbidden);
        assert.deepEqual(codes, [[4, "FOREIGN_ORIGIN"]]);
        await connectClient(target);
        await connectClient(target, { headers: { Origin: `http://127.0.0.1:${port}` } });
      }
    });
  }

  test("cannot upgrade a session by polling either", async (context) => {
    const { url } = await startEngine(context);
    const client = new PollingClient(url);
    await client.open();
    await assert.rejects(connectClient(client.target("websocket"), { headers: { Origin: page } }));
    await client.post("4a");
    assert.equal(await client.poll(), "4a");
  });
});
