/** Where a key or a value is: the keys and indexes that lead to it. */
export type ConfigPath = readonly (string | number)[];

/** A place in a configuration file. */
export interface SourcePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** The line as it stands in the file, without secrets and what follows them. */
  readonly text: string;
}

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** In a file, or the name of the variable or flag that the value came from; undefined: nowhere in particular. */
  readonly place: SourcePlace | string | undefined;
  /** A sentence. It never has a token or a secret in it. */
  readonly message: string;
}

/** A configuration cannot be used. The message has every problem, each with its place. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const sorted = problems.toSorted(byPlace);
    super(sorted.map(describeProblem).join("\n"));
    this.name = "ConfigError";
    this.problems = sorted;
  }
}

/** As a reader of the file comes to them; what is not in the file is last. */
function byPlace({ place: a }: ConfigProblem, { place: b }: ConfigProblem): number {
  if (typeof a !== "object" || typeof b !== "object")
    return Number(typeof b === "object") - Number(typeof a === "object");
  return a.line - b.line || a.column - b.column;
}

/** Columns of a line that are shown. */
const longestLine = 160;

/** `file:line:column: sentence`, and below it the line of the file with a mark under its column. */
export function describeProblem({ place, message }: ConfigProblem): string {
  if (place === undefined) return message;
  if (typeof place === "string") return `${place}: ${message}`;
  const { file, line, column, text } = place;
  const head = `${file}:${line}:${column}: ${message}`;
  if (text.trim() === "" || column > longestLine) return head;
  const number = String(line);
  // A mark stands under its column also where the line has tabs.
  const indent = text.slice(0, column - 1).replace(/[^\t]/g, " ");
  return `${head}\n  ${number} | ${text}\n  ${" ".repeat(number.length)} | ${indent}^`;
}
