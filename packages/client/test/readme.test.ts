import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { defaultMultiplexLimits } from "@sluice/protocol";
import { defaultBackoff, defaultConnectionOptions } from "../src/index.ts";
import { startEchoGateway } from "./support/gateway.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const docs = readFileSync(new URL("../../../docs/client.md", import.meta.url), "utf8");
const examples = new URL("examples/", import.meta.url);

/** What each example prints. */
const printed: Readonly<Record<string, string>> = {
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

  for (const name of readdirSync(examples)) {
    test(`shows ${name} as it is, and it runs`, async () => {
      const file = new URL(name, examples);
      assert.ok(readme.includes(`\`\`\`ts\n${readFileSync(file, "utf8")}\`\`\``), `${name} differs`);
      const flags = ["--import", "tsx", "--conditions=@sluice/source"];
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, fileURLToPath(file)], {
        env: { ...process.env, GATEWAY: sluice.ws },
      });
      assert.equal(stdout, printed[name]);
    });
  }
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
