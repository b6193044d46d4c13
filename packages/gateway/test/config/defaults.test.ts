import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultHubLimits, defaultSocketLimits } from "@sluice/hub";
import { createHttp2Backend } from "@sluice/rpc";
import { gatewayOptions } from "../../src/config/gateway-options.ts";
import { sessionOptions } from "../../src/config/session-options.ts";
import { defaultListenerLimits } from "../../src/listener/limits.ts";
import { resolveCallbackOptions } from "../../src/sessions/callbacks/options.ts";
import { ConfigFolder, least } from "./support.ts";

const folder = new ConfigFolder();

test("the defaults are those of what they are given to", () => {
  const loaded = folder.load(least);
  const { limits } = gatewayOptions(loaded);
  assert.deepEqual({ ...limits, maxConnectionsPerAddress: Infinity }, defaultListenerLimits);
  const hosted = sessionOptions(folder.load(`${least}faces: { websocket: { path: /ws } }\n`));
  assert.deepEqual(hosted?.limits, defaultHubLimits);
  assert.equal(hosted?.historyBytes, 256 * 1024 * 1024);
  const { envelopeBytes, packetsPerMessage } = defaultSocketLimits;
  assert.deepEqual([hosted?.envelopeBytes, hosted?.packetsPerMessage], [envelopeBytes, packetsPerMessage]);
});

test("the pace of callbacks is that of the file, and the default of the callbacks without one", () => {
  const faces = "faces: { sse: { path: /events } }\n";
  const hosted = (more: string) =>
    sessionOptions(folder.load(`${least}${faces}callbacks: { backend: orders${more} }\n`))?.callbacks;
  const { backend: _name, ...options } = hosted("") ?? assert.fail();
  const given = resolveCallbackOptions({ ...options, backend: createHttp2Backend("localhost:1") });
  const without = resolveCallbackOptions({ backend: given.backend, hooks: options.hooks });
  for (const key of [
    "disconnects",
    "deadlineMs",
    "waitMs",
    "connectWaitMs",
    "concurrency",
    "streams",
  ] as const)
    assert.deepEqual(given[key], without[key], key);
  assert.deepEqual(hosted(", breaker: { failures: 3, pause: 2s }")?.breaker, { failures: 3, openMs: 2_000 });
  assert.equal(hosted(", disconnectsPerSecond: 7")?.disconnects?.perSecond, 7);
});
