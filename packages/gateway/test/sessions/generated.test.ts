import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { generatedFolder, generateMessages, textsBelow } from "./generated-messages.ts";

test("the generated messages are those of packages/gateway/proto", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-generated-"));
  context.after(() => rm(folder, { recursive: true }));
  await generateMessages(folder);
  assert.deepEqual(
    textsBelow(generatedFolder),
    textsBelow(folder),
    "run: node --import tsx --conditions=@sluice/source scripts/generate-messages.ts",
  );
});
