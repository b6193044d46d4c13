import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { configJsonSchema, type JsonSchema } from "../../src/config/config-json-schema.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { sessionOptions } from "../../src/config/session-options.ts";
import { pairs } from "../identity-support.ts";
import { withReference } from "./config-reference.ts";
import { ConfigFolder } from "./support.ts";

const page = readFileSync(new URL("../../../../docs/configuration.md", import.meta.url), "utf8");
const readme = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
const blocks = [...`${page}\n${readme}`.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = ""]) => yaml);

const folder = new ConfigFolder();
for (const name of [
  "server.pem",
  "server.key",
  "ca.pem",
  "client.pem",
  "client.key",
  "orders.binpb",
  "rules.yaml",
]) {
  folder.write("", name);
}
for (const name of ["shop.proto", "jwt.pem", "jwt.secret"]) folder.write("", name);
folder.write("push-0123456789abcdef\n", "push.tokens");
for (const name of ["public", "protos"]) mkdirSync(join(folder.path, name));

const environment = {
  PUSH_TOKEN: "push-0123456789abcdef",
  PUSH_TOKEN_BEFORE: "push-fedcba9876543210",
  JWT_SECRET: "0123456789abcdef0123456789abcdef",
  JWT_PUBLIC_KEY: pairs["P-256"].publicKey.export({ type: "spki", format: "pem" }).toString(),
};

describe("the examples of docs/configuration.md and of the README", () => {
  for (const [index, yaml] of blocks.entries()) {
    test(`the ${index + 1}. is valid`, () => {
      const loaded = folder.load(yaml, { environment });
      assert.deepEqual(loaded.warnings, []);
      sessionOptions(loaded);
    });
  }

  test("have every key that there is", () => {
    const shown = new Set<string>();
    for (const yaml of blocks) collect(parse(yaml), configJsonSchema(), "", shown);
    const missing = [...keysOf(configJsonSchema(), "")].filter((key) => !shown.has(key));
    assert.deepEqual(missing, []);
  });
});

test("the files in the examples are valid, and name the schema for editors", () => {
  const examples = new URL("../../../../examples/", import.meta.url);
  const files = readdirSync(examples)
    .map((name) => fileURLToPath(new URL(`${name}/sluice.yaml`, examples)))
    .filter((file) => existsSync(file));
  assert.ok(files.length > 0);
  for (const file of files) {
    sessionOptions(loadConfig({ file, environment: {} }));
    const [, schema = ""] =
      /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(file, "utf8")) ?? [];
    assert.ok(existsSync(join(dirname(file), schema || "none")), `${file}: ${schema}`);
  }
});

test("the tables of docs/configuration.md are those of the schema", () => {
  assert.ok(withReference(page) === page, "run scripts/generate-config-schema.ts");
});

/** Every key of a schema; `*` is a name that people choose. */
function* keysOf(schema: JsonSchema, path: string): Generator<string, void> {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    yield `${path}.${key}`;
    yield* keysOf(child, `${path}.${key}`);
  }
  if (typeof schema.additionalProperties === "object")
    yield* keysOf(schema.additionalProperties, `${path}.*`);
  for (const form of schema.anyOf ?? []) yield* keysOf(form, path);
  if (schema.items !== undefined) yield* keysOf(schema.items, path);
}

/** The keys that a value has, as `keysOf` calls them. */
function collect(value: unknown, schema: JsonSchema, path: string, shown: Set<string>): void {
  for (const form of schema.anyOf ?? []) collect(value, form, path, shown);
  if (Array.isArray(value)) {
    for (const each of value) if (schema.items !== undefined) collect(each, schema.items, path, shown);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    const child = schema.properties?.[key];
    if (child !== undefined) {
      shown.add(`${path}.${key}`);
      collect(each, child, `${path}.${key}`, shown);
    } else if (typeof schema.additionalProperties === "object") {
      collect(each, schema.additionalProperties, `${path}.*`, shown);
    }
  }
}
