import { createOpenApiDocument } from "@sluice/rpc";
import type { Command } from "commander";
import { endWithReader } from "./end-with-reader.ts";
import { addSchemaOptions, schemaFromFlags, type SchemaFlags } from "./schema-options.ts";

interface OpenApiFlags extends SchemaFlags {
  readonly title?: string;
  readonly apiVersion?: string;
  readonly server?: string;
}

/** Adds `sluice openapi`. */
export function addOpenApi(program: Command): void {
  const command = program
    .command("openapi")
    .summary("write the OpenAPI document of the REST side")
    .description("Writes the REST side of a schema as an OpenAPI 3.1 document to standard output.");
  addSchemaOptions(command)
    .option("--title <text>", "the title of the API; default: the names of the services")
    .option("--api-version <text>", "the version of the API; default: a part of the schema's fingerprint")
    .option("--server <url>", "where the gateway is")
    .action(openApi);
}

async function openApi(flags: OpenApiFlags): Promise<void> {
  endWithReader();
  const document = createOpenApiDocument(await schemaFromFlags(flags), {
    ...(flags.title === undefined ? {} : { title: flags.title }),
    ...(flags.apiVersion === undefined ? {} : { version: flags.apiVersion }),
    ...(flags.server === undefined ? {} : { server: flags.server }),
  });
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
