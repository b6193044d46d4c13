import { closeSync, openSync, readSync } from "node:fs";
import {
  CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLError,
} from "yaml";
import { ConfigError, type ConfigPath, type ConfigProblem, type SourcePlace } from "./config-error.ts";

/** The most bytes of a configuration file. */
export const maxFileBytes: number = 1024 * 1024;

/** The most times that one file may use what it has named with an anchor, nested uses counted each. */
const maxAliases = 100;

/** How deep lists and mappings may be in each other, in brackets or by the columns of their indentation. */
const maxDepth = 200;

/** A file in YAML that can say where each of its values stands. */
export class YamlFile {
  readonly name: string;
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;

  /** Throws ConfigError for a text that is no single document of YAML 1.2, or has a key twice. */
  constructor(name: string, text: string) {
    this.name = name;
    this.#text = text;
    if (isTooDeep(text))
      throw new ConfigError([{ place: name, message: "lists and mappings are nested too deeply" }]);
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      logLevel: "error",
      merge: true,
    });
    const { errors, warnings } = this.#document;
    const problems = firstOf([...errors, ...warnings]).map((error) => ({
      place: this.#placeAt(error.pos[0]),
      message: sentenceOf(error, text),
    }));
    visit(this.#document, {
      Alias: (_key, node) => {
        if (node.resolve(this.#document) !== undefined) return;
        problems.push({ place: this.#placeAt(offsetOf(node) ?? 0), message: sentences["BAD_ALIAS"] ?? "" });
      },
    });
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** Reads a file. Throws ConfigError where it cannot be read or is too large, and as the constructor does. */
  static read(name: string): YamlFile {
    return new YamlFile(name, readText(name));
  }

  /** Puts what `replace` answers in the place of each text; what it throws as a ConfigError is told at its place. */
  replaceTexts(replace: (text: string) => string): readonly ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    visit(this.#document, {
      Scalar: (key, node) => {
        if (key === "key" || typeof node.value !== "string") return;
        try {
          node.value = replace(node.value);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          const place = this.#placeAt(node.range?.[0] ?? 0);
          problems.push(...error.problems.map(({ message }) => ({ place, message })));
        }
      },
    });
    return problems;
  }

  /** The values, as JSON has them. Throws ConfigError where anchors are used too often. */
  data(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: maxAliases });
    } catch (error) {
      if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
      const message = `what anchors name may be used ${maxAliases} times in all, and never within itself`;
      throw new ConfigError([{ place: this.name, message }]);
    }
  }

  /** Where a value stands, or with `key` its key; what is not there has the place of what it would be in. */
  place(path: ConfigPath, key = false): SourcePlace {
    let found: unknown = this.#document.contents;
    let offset = offsetOf(found);
    for (const [index, step] of path.entries()) {
      if (isAlias(found)) found = found.resolve(this.#document);
      const next = childOf(found, step);
      if (next === undefined) break;
      found = next.value;
      const isKey = (key && index === path.length - 1) || offsetOf(found) === undefined;
      offset = (isKey ? offsetOf(next.key) : offsetOf(found)) ?? offsetOf(next.key) ?? offset;
    }
    const place = this.#placeAt(offset ?? 0);
    // A secret need not stand on the line of its key.
    if (key || !path.some((step) => secretKeys.has(step))) return place;
    return { ...place, text: `${place.text.slice(0, place.column - 1)}…` };
  }

  #placeAt(offset: number): SourcePlace {
    const { line, col } = this.#lines.linePos(offset);
    const begin = this.#lines.lineStarts[line - 1] ?? 0;
    const [text = ""] = /^[^\r\n]*/.exec(this.#text.slice(begin, begin + 200)) ?? [];
    return { file: this.name, line: Math.max(line, 1), column: Math.max(col, 1), text: withoutSecrets(text) };
  }
}

/** What is one step down in a mapping or a list. */
function childOf(
  node: unknown,
  step: string | number,
): { readonly key: unknown; readonly value: unknown } | undefined {
  if (isSeq(node)) {
    const value = node.items[Number(step)];
    return value === undefined ? undefined : { key: value, value };
  }
  if (!isMap(node)) return undefined;
  return node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

/** The keys whose values, with all that is in them, are shown to nobody. */
const secretKeys: ReadonlySet<string | number> = new Set(["secret", "token", "metadata"]);

function withoutSecrets(line: string): string {
  return line.replace(/\b((?:\w*secret|\w*token|password|authorization|metadata)["']?\s*:\s*).*/i, "$1…");
}

const sentences: Record<string, string> = {
  TAB_AS_INDENT: "YAML has no tabs before a key or an item; use spaces",
  MULTIPLE_DOCS: "one file is one configuration; a second document begins here",
  BAD_ALIAS: "an alias (*) must name an anchor (&) that comes before it",
};

/** The parser is recursive, and V8 does not always survive the end of the stack. */
function isTooDeep(text: string): boolean {
  let brackets = 0;
  let indents = 0;
  let isLineBegin = true;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    if (type === "newline") indents = 0;
    else if (type === "space" && isLineBegin) indents = token.length;
    else if (type === "seq-item-ind" || type === "explicit-key-ind") indents++;
    else if (type === "flow-seq-start" || type === "flow-map-start") brackets++;
    else if (type === "flow-seq-end" || type === "flow-map-end") brackets--;
    if (brackets + indents > maxDepth) return true;
    isLineBegin = type === "newline";
  }
  return false;
}

/** What follows a mistake of syntax is mostly a consequence of it. */
function firstOf(errors: readonly YAMLError[]): readonly YAMLError[] {
  const first = errors.findIndex(({ code }) => code !== "DUPLICATE_KEY");
  return first < 0 ? errors : errors.slice(0, first + 1);
}

function sentenceOf({ code, message, pos }: YAMLError, text: string): string {
  if (code === "DUPLICATE_KEY")
    return `${/^[^\s:]*/.exec(text.slice(pos[0]))?.[0] ?? "a key"} is there twice`;
  const known = sentences[code];
  if (known !== undefined) return known;
  const isReference = text.slice(0, pos[1]).endsWith("${") || /\$\{\w*$/.test(text.slice(0, pos[0]));
  return isReference ? `within { } and [ ], put what has \${…} in quotes (${message})` : message;
}

function readText(name: string): string {
  const bytes = Buffer.allocUnsafe(maxFileBytes + 1);
  let length = 0;
  try {
    const file = openSync(name, "r");
    try {
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = readSync(file, bytes, length, bytes.length - length, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const why = {
      ENOENT: "there is no such file",
      EISDIR: "it is a folder",
      EACCES: "this user may not read it",
    }[code];
    throw new ConfigError([{ place: undefined, message: `cannot read ${name}: ${why ?? code}` }]);
  }
  if (length > maxFileBytes) {
    throw new ConfigError([
      { place: name, message: `it has more than ${maxFileBytes} bytes; that is no configuration` },
    ]);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    throw new ConfigError([{ place: name, message: "it is not UTF-8 text" }]);
  }
}
