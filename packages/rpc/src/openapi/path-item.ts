import type { Binding } from "../transcode/binding.ts";

/** A path of an OpenAPI document, and its parameters. */
export interface OpenApiPath {
  /** `/v1/shelves/{shelf}/books/{book}:move` */
  readonly path: string;
  readonly parameters: readonly PathParameter[];
}

/** One `{…}` of a path. */
export interface PathParameter {
  readonly name: string;
  /** The place of the template's variable in it, or -1 for a `*` outside of all variables. */
  readonly variable: number;
  /** Whether it is the variable's whole value, and not a part of it. */
  readonly isWhole: boolean;
  /** Whether it may contain slashes, which OpenAPI cannot say. */
  readonly isMulti: boolean;
}

/**
 * The path of a binding as OpenAPI writes it, where a parameter is one segment: a variable of several segments
 * (`{name=shelves/…/books/…}` with stars) becomes a parameter for each `*`, named after the literal before it.
 */
export function openApiPathOf({ template }: Binding): OpenApiPath {
  const parameters: PathParameter[] = [];
  const names = new Set<string>();
  const segments = template.segments.map((segment, index) => {
    if (segment.kind === "literal") return encodeURIComponent(segment.text).replaceAll("%3A", ":");
    const variable = template.variables.findIndex(({ start, end }) => index >= start && index < end);
    const covering = template.variables[variable];
    const isWhole = covering !== undefined && covering.end - covering.start === 1;
    const name = unique(
      isWhole ? covering.fieldPath.join(".") : nameOfSegment(template.segments[index - 1]),
      names,
    );
    parameters.push({ name, variable, isWhole, isMulti: segment.kind === "multi" });
    return `{${name}}`;
  });
  const verb = template.verb === "" ? "" : `:${template.verb}`;
  return { path: `/${segments.join("/")}${verb}`, parameters };
}

// `shelves/*` is a shelf: the singular, as far as English goes by its endings.
function nameOfSegment(before: Binding["template"]["segments"][number] | undefined): string {
  if (before?.kind !== "literal") return "segment";
  const word = before.text.replace(/[^A-Za-z0-9_]/g, "_");
  if (/[^aeiou]ies$/.test(word)) return word.replace(/ies$/, "y");
  if (word.endsWith("lves")) return word.replace(/ves$/, "f");
  if (/(?:ss|sh|ch|x)es$/.test(word)) return word.replace(/es$/, "");
  return word.replace(/([^s])s$/, "$1");
}

function unique(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let count = 2; taken.has(candidate); count++) candidate = `${name}_${count}`;
  taken.add(candidate);
  return candidate;
}
