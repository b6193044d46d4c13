import { z } from "zod";
import type { ConfigPath } from "./config-error.ts";
import { configSchema } from "./config.ts";

/** A part of a JSON Schema, as far as this program looks at it. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

let made: JsonSchema | undefined;

/** The JSON Schema (draft 7, which editors know) of a configuration file. */
export function configJsonSchema(): JsonSchema {
  made ??= {
    title: "sluice.yaml",
    ...(z.toJSONSchema(configSchema, {
      io: "input",
      target: "draft-7",
      override: ({ jsonSchema, path }) => {
        // A variable of the environment may stand for any text, but for a key.
        const { pattern } = jsonSchema;
        if (pattern !== undefined && path.at(-1) !== "propertyNames")
          jsonSchema.pattern = `(?:${pattern})|\\$\\{`;
      },
    }) as JsonSchema),
  } as JsonSchema;
  return made;
}

/** The text of the file `sluice.schema.json`. */
export function configSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** The keys that the mapping at a path may have, of all forms of it. */
export function keysAt(path: ConfigPath): readonly string[] {
  let forms: readonly JsonSchema[] = formsOf(configJsonSchema());
  for (const step of path) forms = forms.flatMap((form) => formsOf(childOf(form, step)));
  return [...new Set(forms.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

/** The single values of a configuration: those that no list and no name that people choose leads to. */
export function* singleValues(
  schema: JsonSchema = configJsonSchema(),
  path: readonly string[] = [],
): Generator<readonly string[], void> {
  for (const form of formsOf(schema)) {
    for (const [key, child] of Object.entries(form.properties ?? {})) {
      if (formsOf(child).some(({ type }) => type !== undefined && type !== "object" && type !== "array")) {
        yield [...path, key];
      }
      yield* singleValues(child, [...path, key]);
    }
  }
}

function formsOf(schema: JsonSchema | undefined): readonly JsonSchema[] {
  if (schema === undefined) return [];
  return schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap(formsOf);
}

function childOf(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === "number") return schema.items;
  const named = schema.properties?.[step];
  if (named !== undefined) return named;
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}
