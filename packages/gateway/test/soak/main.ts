/** `npm run soak -- [--members 2000] [--rooms 40] [--seconds 30] [--events 200] [--cycles 3] [--outage 10000] [--seed N]` */
import { parseArgs } from "node:util";
import { outage } from "./outage.ts";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    members: { type: "string", default: "2000" },
    rooms: { type: "string", default: "40" },
    seconds: { type: "string", default: "30" },
    events: { type: "string", default: "200" },
    cycles: { type: "string", default: "3" },
    outage: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const seed = Number(values.seed);
console.log(`seed ${seed}`);
const { counts, heapBytes, problems } = await soak({
  seed,
  members: Number(values.members),
  rooms: Number(values.rooms),
  seconds: Number(values.seconds),
  events: Number(values.events),
  cycles: Number(values.cycles),
  log: (line) => console.log(line),
});
for (const [what, count] of Object.entries(counts)) console.log(`${what.padEnd(14)}${count}`);
console.log(`heap          ${heapBytes.map((bytes) => `${Math.round(bytes / 1024)} KiB`).join(", ")}`);

const outageMs = Number(values.outage);
const lost = await outage(outageMs);
const { taken, refused, unknown } = lost.counts;
console.log(`backend away for ${outageMs} ms: ${lost.members} members had ${lost.connections} connections, and said ${taken + refused + unknown}
things, ${lost.sentMeanwhile} of them meanwhile: ${taken} taken, ${refused} refused, ${unknown} without an answer`);
const all = [...problems, ...lost.problems];
if (lost.connections !== lost.members || unknown > 0) all.push("the outage was felt");
for (const problem of all) console.error(problem);
console.log(all.length === 0 ? "nothing is wrong" : `${all.length} problems with seed ${seed}`);
process.exitCode = all.length === 0 ? 0 : 1;
