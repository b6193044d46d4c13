import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultHubLimits } from "@sluice/hub";
import { gatewayOptions } from "../../src/config/gateway-options.ts";
import { defaultListenerLimits } from "../../src/listener/limits.ts";
import { ConfigFolder, least } from "./support.ts";

const folder = new ConfigFolder();

test("the defaults are those of what they are given to", () => {
  const loaded = folder.load(least);
  const { limits } = gatewayOptions(loaded);
  assert.deepEqual({ ...limits, maxConnectionsPerAddress: Infinity }, defaultListenerLimits);
  const { sessions } = loaded.config;
  assert.deepEqual(
    Object.values(sessions.limits).toSorted((a, b) => a - b),
    Object.values(defaultHubLimits).toSorted((a, b) => a - b),
  );
});
