/**
 * Writes packages/rpc/src/schema/generated/descriptors.ts from packages/rpc/proto:
 *   node --import tsx --conditions=@sluice/source scripts/generate-descriptors.ts
 * A test of the rpc package fails when that was forgotten.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileOwnProtos, generatedModule } from "../packages/rpc/test/schema/own-protos.ts";

const path = fileURLToPath(new URL("../packages/rpc/src/schema/generated/descriptors.ts", import.meta.url));
writeFileSync(path, generatedModule(await compileOwnProtos()));
