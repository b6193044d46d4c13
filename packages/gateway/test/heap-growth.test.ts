import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

/** Prints how many MiB the space of young objects has at most while some of them survive. */
const program = `
import { getHeapSpaceStatistics } from "node:v8";
const kept = [];
let most = 0;
for (let round = 0; round < 40; round++) {
  for (let each = 0; each < 3000; each++) kept.push({ each });
  if (kept.length > 20_000) kept.splice(0, 10_000);
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  most = Math.max(most, space.space_size);
}
console.log(most / 2 ** 20);
`;

function mostMebibytes(before: string): number {
  const args = ["--import", "tsx", "--conditions=@sluice/source", "--input-type=module", "--eval"];
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  return Number(execFileSync(process.execPath, [...args, before + program], { cwd, encoding: "utf8" }));
}

test("young objects get all of their memory at once, and no timer holds the process", () => {
  const enlarged = 'import { growHeapFreely } from "@sluice/gateway"; growHeapFreely();';
  assert.ok(mostMebibytes("") < 16);
  assert.ok(mostMebibytes(enlarged) >= 32);
});
