import { configJsonSchema, singleValues, type JsonSchema } from "../../src/config/config-json-schema.ts";
import { variableFor } from "../../src/config/environment-values.ts";

/** What begins and ends the part of docs/configuration.md that is made from the schema. */
export const begin = "<!-- made by scripts/generate-config-schema.ts -->";
export const end = "<!-- until here -->";

/** The tables of all keys, as docs/configuration.md has them. */
export function configReference(): string {
  const variables = new Set([...singleValues()].map((path) => path.join(".")));
  const root = configJsonSchema();
  const sections = Object.entries(root.properties ?? {});
  const plain = sections.filter(([, schema]) => rowsOf(schema, "").length === 0);
  const tables = [
    table(
      "The gateway",
      "",
      plain.flatMap(([key, schema]) => [row(key, schema, variables)]),
    ),
  ];
  for (const [key, schema] of sections) {
    const rows = rowsOf(schema, key).map(([path, each]) => row(path, each, variables));
    if (rows.length > 0) tables.push(table(`\`${key}\``, schema.description ?? "", rows));
  }
  return `${begin}\n\n${tables.join("\n")}\n${end}`;
}

/** The description with the rest of the page in place of the part that is made. */
export function withReference(page: string): string {
  const [before = "", rest = ""] = page.split(begin);
  const [, after = ""] = rest.split(end);
  return `${before}${configReference()}${after}`;
}

/** All keys below a mapping, each with what it may be. */
function rowsOf(schema: JsonSchema, path: string): readonly (readonly [path: string, schema: JsonSchema])[] {
  return formsOf(schema).flatMap((form) => {
    const own = Object.entries(form.properties ?? {}).flatMap(([key, child]) => {
      const full = `${path}.${key}`;
      return [[full, child] as const, ...rowsOf(child, full)];
    });
    const { additionalProperties } = form;
    const named =
      typeof additionalProperties === "object" ? rowsOf(additionalProperties, `${path}.NAME`) : [];
    const listed = form.items === undefined ? [] : rowsOf(form.items, path);
    return [...own, ...named, ...listed];
  });
}

function row(path: string, schema: JsonSchema, variables: ReadonlySet<string>): string {
  const variable = variables.has(path) ? ` <br> \`${variableFor(path.split("."))}\`` : "";
  return `| \`${path}\`${variable} | ${(schema.description ?? "").replaceAll("|", "\\|")} | ${formOf(schema)} | ${defaultOf(schema)} |`;
}

function table(title: string, text: string, rows: readonly string[]): string {
  const lead = text === "" ? "" : `${text}\n\n`;
  return `### ${title}\n\n${lead}| key | meaning | form | default |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

/** The types of JSON Schema, as people call them. */
const words: Readonly<Record<string, string>> = {
  string: "text",
  integer: "number",
  number: "number",
  boolean: "true, false",
  array: "list",
};

function formOf(schema: JsonSchema): string {
  const forms = formsOf(schema).map((form) => {
    if (form.enum !== undefined) return form.enum.map((word) => `\`${String(word)}\``).join(", ");
    if (form.pattern?.includes("ms|s|m|h|d") === true) return "duration";
    if (form.pattern?.includes("KiB") === true) return "size";
    // The text of a number or of true and false, as a variable has it.
    if (form.pattern?.includes("\\d{1,10}") === true || form.pattern?.includes("true|false") === true)
      return "";
    if (form.pattern?.includes("[01]") === true) return "";
    return (form.type === undefined ? undefined : words[form.type]) ?? "mapping";
  });
  const found = [...new Set(forms.filter((word) => word !== ""))];
  return (found.includes("size") ? found.filter((word) => word !== "number") : found).join(" or ");
}

function defaultOf(schema: JsonSchema): string {
  const { default: value } = schema;
  if (value === undefined) return "";
  if (Array.isArray(value))
    return value.length === 0 ? "none" : value.map((each) => `\`${String(each)}\``).join(", ");
  if (typeof value === "object") return "";
  return value === "" ? "empty" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function formsOf(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap(formsOf);
}
