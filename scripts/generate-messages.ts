/**
 * Writes packages/gateway/src/sessions/generated from packages/gateway/proto:
 *   node --import tsx --conditions=@sluice/source scripts/generate-messages.ts
 * A test of the gateway package fails when that was forgotten.
 */
import { mkdirSync, rmSync } from "node:fs";
import { generatedFolder, generateMessages } from "../packages/gateway/test/sessions/generated-messages.ts";

rmSync(generatedFolder, { recursive: true, force: true });
mkdirSync(generatedFolder, { recursive: true });
await generateMessages(generatedFolder);
