import type { z } from "zod";
import type { ConfigPath } from "./config-error.ts";
import { hintFor } from "./did-you-mean.ts";

/** What is wrong with a value, and which one it is. */
export interface ValueProblem {
  readonly path: ConfigPath;
  /** Whether it is the key that is wrong, and not what it has. */
  readonly isKey: boolean;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/**
 * The sentences for what a schema found wrong in `data`. `keysAt` answers which keys there are in the mapping at a
 * path. The values themselves are in none of them: some are secrets.
 */
export function problemsFrom(
  issues: readonly Issue[],
  data: unknown,
  keysAt: (path: ConfigPath) => readonly string[],
): readonly ValueProblem[] {
  return issues.flatMap((issue) => problemsOf(issue, [], data, keysAt));
}

function problemsOf(
  issue: Issue,
  before: ConfigPath,
  data: unknown,
  keysAt: (path: ConfigPath) => readonly string[],
): readonly ValueProblem[] {
  const path = [...before, ...(issue.path as ConfigPath)];
  const name = nameOf(path);
  const found = valueAt(data, path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      isKey: true,
      message: `${nameOf([...path, key])} is no key of a configuration${hintFor(key, keysAt(path))}`,
    }));
  }
  if (issue.code === "invalid_key") {
    const [reason] = issue.issues;
    return [
      {
        path,
        isKey: true,
        message: `${nameOf(path.slice(0, -1))}: a key here ${reason?.message ?? "is wrong"}`,
      },
    ];
  }
  if (found === undefined) return [{ path, isKey: false, message: `${name} is missing` }];
  if (found === null)
    return [{ path, isKey: false, message: `${name} has no value; give it one, or leave it out` }];
  if (issue.code === "invalid_union" && isGeneric(issue.message)) {
    const branch = likeliest(issue.errors);
    if (branch !== undefined) return branch.flatMap((each) => problemsOf(each, path, data, keysAt));
  }
  const message = isGeneric(issue.message)
    ? `must be ${wanted(issue)}, and is ${kindOf(found)}`
    : issue.message;
  return [{ path, isKey: false, message: `${name} ${message}` }];
}

/** Of the forms that a value may have, the one that it was probably meant to have: it is of the right type. */
function likeliest(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter(
    (issues) => !issues.some(({ code, path }) => code === "invalid_type" && path.length === 0),
  );
  const depth = (issues: readonly Issue[]): number => Math.max(...issues.map(({ path }) => path.length));
  return fitting.toSorted((a, b) => depth(b) - depth(a))[0];
}

function isGeneric(message: string): boolean {
  return message.startsWith("Invalid ");
}

/** The types of zod and of JavaScript, as people call them. */
const names: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
  string: "text",
  number: "a number",
  boolean: "true or false",
};

function wanted(issue: Issue): string {
  return (issue.code === "invalid_type" ? names[issue.expected] : undefined) ?? "something else";
}

function kindOf(value: unknown): string {
  return names[Array.isArray(value) ? "array" : typeof value] ?? "something else";
}

/** A path as people write it: `backends.orders.target`, `identity.from[1]`. */
export function nameOf(path: ConfigPath): string {
  if (path.length === 0) return "the configuration";
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${plain(step)}`))
    .join("")
    .replace(/^\./, "");
}

/** What is no plain word could be anything, and is cut short. */
function plain(step: string): string {
  if (/^[\w-]{1,64}$/.test(step)) return step;
  return JSON.stringify(step.length > 64 ? `${step.slice(0, 64)}…` : step);
}

function valueAt(data: unknown, path: ConfigPath): unknown {
  let found = data;
  for (const step of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Record<string | number, unknown>)[step];
  }
  return found;
}
