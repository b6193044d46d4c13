import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultHubLimits, defaultSocketLimits } from "@sluice/hub";
import { gatewayOptions } from "../../src/config/gateway-options.ts";
import { sessionOptions } from "../../src/config/session-options.ts";
import { defaultListenerLimits } from "../../src/listener/limits.ts";
import { ConfigFolder, least } from "./support.ts";

const folder = new ConfigFolder();

test("the defaults are those of what they are given to", () => {
  const loaded = folder.load(least);
  const { limits } = gatewayOptions(loaded);
  assert.deepEqual({ ...limits, maxConnectionsPerAddress: Infinity }, defaultListenerLimits);
  const hosted = sessionOptions(folder.load(`${least}faces: { websocket: { path: /ws } }\n`));
  assert.deepEqual(hosted?.limits, defaultHubLimits);
  const { envelopeBytes, packetsPerMessage } = defaultSocketLimits;
  assert.deepEqual([hosted?.envelopeBytes, hosted?.packetsPerMessage], [envelopeBytes, packetsPerMessage]);
});
