import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { defaultMultiplexLimits } from "@sluice/protocol";
import { readmeSuite } from "@sluice/testkit/readme-suite";
import { defaultBackoff, defaultConnectionOptions } from "../src/index.ts";
import { startEchoGateway } from "./support/gateway.ts";

const docs = readFileSync(new URL("../../../docs/client.md", import.meta.url), "utf8");

/** What each example prints. */
const printed = {
  "json.ts": "hello\nagain\nare you there?\ntoo late\n",
  "state.ts": "true\nconnecting\nopen\n",
  "transport.ts": "hello\n0 one\n1 two\n",
};

describe("the README", () => {
  let sluice: Awaited<ReturnType<typeof startEchoGateway>>;
  before(async () => {
    sluice = await startEchoGateway();
  });
  after(() => sluice.close());

  readmeSuite({
    tests: new URL("./", import.meta.url),
    printed,
    environment: () => ({ GATEWAY: sluice.ws }),
  });
});

describe("docs/client.md", () => {
  test("names every option with its default", () => {
    const { initialMs, factor, maxMs } = defaultBackoff;
    const { maxCalls: _ofServers, ...limits } = defaultMultiplexLimits;
    const defaults = {
      ...defaultConnectionOptions,
      "backoff.initialMs": initialMs,
      "backoff.factor": factor,
      "backoff.maxMs": maxMs,
      ...Object.fromEntries(Object.entries(limits).map(([name, value]) => [`limits.${name}`, value])),
    };
    for (const [name, value] of Object.entries(defaults)) {
      const row = docs.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
      assert.ok(row !== undefined, `${name} is missing`);
      assert.ok(row.replaceAll(",", "").includes(`| ${value} |`), `${name}: ${row}`);
    }
  });
});
