/**
 * `npm run conformance:autobahn -- [server] [client] [--peer sluice] [--only PATTERN]…`: runs the Autobahn|Testsuite
 * against server and client. Exits with 1 when a case is neither OK nor INFORMATIONAL, or was not run. The peer
 * `sluice-http2` is our server over HTTP/2; `ws` validates the suite as it is installed here: its results are known.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { testClient, testServer, type Outcome, type Run } from "./directions.ts";
import { passes, tally, verdictOf, type CaseResult } from "./report.ts";
import { installSuite } from "./suite.ts";

/** The sections in the order in which they run: what is quick and basic first, then compression, which takes minutes. */
const sections: readonly (readonly string[])[] = [
  ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"],
  ["12.*"],
  ["13.*"],
];

const directions: Readonly<Record<string, (run: Run) => Promise<Outcome>>> = {
  server: testServer,
  client: testClient,
};

/** Which directions each peer has. */
const peers: Readonly<Record<string, readonly string[]>> = {
  sluice: ["server", "client"],
  "sluice-http2": ["server"],
  ws: ["server", "client"],
};

interface Options {
  readonly peer: string;
  readonly chosen: readonly string[];
  readonly parts: readonly (readonly string[])[];
}

/** Throws a TypeError that says what is wrong with the arguments. */
function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peer: { type: "string", default: "sluice" },
      only: { type: "string", multiple: true },
    },
  });
  const { peer, only } = values;
  const possible = peers[peer];
  if (possible === undefined) throw new TypeError(`no peer ${peer}: one of ${Object.keys(peers).join(", ")}`);
  for (const direction of positionals) {
    if (possible.includes(direction)) continue;
    throw new TypeError(`${peer} has no direction ${direction}: ${possible.join(" or ")}`);
  }
  const chosen = positionals.length === 0 ? possible : positionals;
  return { peer, chosen, parts: only === undefined ? sections : [only] };
}

function optionsOrUsage(): Options {
  try {
    return readOptions();
  } catch (error) {
    console.error((error as Error).message);
    const known = Object.keys(peers).join(" | ");
    console.error(`npm run conformance:autobahn -- [server] [client] [--peer ${known}] [--only PATTERN]…`);
    process.exit(2);
  }
}

const { peer, chosen, parts } = optionsOrUsage();
const out = fileURLToPath(new URL("../out/autobahn", import.meta.url));
const wstest = await installSuite(out);

let failed = false;
for (const direction of chosen) {
  const test = directions[direction];
  if (test === undefined) continue;
  const results: CaseResult[] = [];
  let announced = 0;
  for (const cases of parts) {
    const started = performance.now();
    const name = cases.length > 1 ? `${cases[0]} to ${cases.at(-1)}` : String(cases[0]);
    const folder = join(out, `${peer}-${direction}`, name.replaceAll("*", "x").replaceAll(" ", "-"));
    const outcome = await test({ wstest, folder, peer, cases });
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(
      `${peer} ${direction}, ${name}: ${outcome.results.filter(passes).length} of ${outcome.announced} (${seconds} s)`,
    );
    results.push(...outcome.results);
    announced += outcome.announced;
  }
  const passed = results.filter(passes).length;
  console.log(`${peer} ${direction}: ${passed} of ${announced} pass: ${tally(results)}`);
  for (const result of results) {
    if (!passes(result)) console.log(`  ${result.id.padEnd(8)} ${verdictOf(result)}`);
  }
  if (results.length < announced) console.log(`  ${announced - results.length} cases have no result`);
  failed ||= announced === 0 || passed < announced;
}
console.log(`The reports are in ${out}`);
if (failed) process.exitCode = 1;
