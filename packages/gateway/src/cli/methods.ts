import type { Method } from "@sluice/rpc";
import type { Command } from "commander";
import { endWithReader } from "./end-with-reader.ts";
import { addSchemaOptions, schemaFromFlags, type SchemaFlags } from "./schema-options.ts";

/** Adds `sluice methods`. */
export function addMethods(program: Command): void {
  const command = program
    .command("methods")
    .summary("list what can be called")
    .description("Lists the methods of a schema, each with its kind and the HTTP requests that call it.");
  addSchemaOptions(command).action(methods);
}

async function methods(flags: SchemaFlags): Promise<void> {
  endWithReader();
  const schema = await schemaFromFlags(flags);
  for (const method of schema.methods.values()) process.stdout.write(describeMethod(method));
}

function describeMethod(method: Method): string {
  const rules =
    method.rules.length > 0 ? method.rules : [{ method: "POST", template: method.path, body: "*" }];
  const lines = rules.map((rule) => {
    const body = rule.body === "" ? "" : `  body: ${rule.body}`;
    return `  ${rule.method.padEnd(6)} ${rule.template}${body}`;
  });
  return `${method.path.slice(1)}  ${method.kind.replace("_", " ")}\n${lines.join("\n")}\n`;
}
