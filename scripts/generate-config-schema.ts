/**
 * Writes packages/gateway/sluice.schema.json, and the tables of docs/configuration.md, from the schema of the configuration:
 *   node --import tsx --conditions=@sluice/source scripts/generate-config-schema.ts
 * A test of the gateway fails when that was forgotten.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configSchemaText } from "../packages/gateway/src/config/config-json-schema.ts";
import { withReference } from "../packages/gateway/test/config/config-reference.ts";

const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
writeFileSync(pathOf("packages/gateway/sluice.schema.json"), configSchemaText());
const page = pathOf("docs/configuration.md");
writeFileSync(page, withReference(readFileSync(page, "utf8")));
