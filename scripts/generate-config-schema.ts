/**
 * Writes packages/gateway/sluice.schema.json from the schema of the configuration:
 *   node --import tsx --conditions=@sluice/source scripts/generate-config-schema.ts
 * A test of the gateway fails when that was forgotten.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configSchemaText } from "../packages/gateway/src/config/config-json-schema.ts";

writeFileSync(
  fileURLToPath(new URL("../packages/gateway/sluice.schema.json", import.meta.url)),
  configSchemaText(),
);
