import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compileOwnProtos, generatedModule } from "./own-protos.ts";

test("the generated descriptors are those of packages/rpc/proto", async () => {
  const path = new URL("../../src/schema/generated/descriptors.ts", import.meta.url);
  assert.equal(
    readFileSync(path, "utf8"),
    generatedModule(await compileOwnProtos()),
    "run: node --import tsx --conditions=@sluice/source scripts/generate-descriptors.ts",
  );
});
