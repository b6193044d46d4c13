import { RpcError } from "../error.ts";

/** One segment of a path template: fixed text, `*` (exactly one segment) or `**` (any number of segments). */
export type TemplateSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "single" }
  | { readonly kind: "multi" };

/** A variable of a path template, and which of the template's segments it covers. */
export interface TemplateVariable {
  /** The field path as written, split at its dots: `{book.name=…}` is `["book", "name"]`. */
  readonly fieldPath: readonly string[];
  /** The first segment that it covers. */
  readonly start: number;
  /** The segment after the last one that it covers. */
  readonly end: number;
  /** Whether it may cover anything but exactly one segment, so that an escaped slash in it stays escaped. */
  readonly multi: boolean;
}

/** A parsed path template. */
export interface PathTemplate {
  readonly segments: readonly TemplateSegment[];
  readonly variables: readonly TemplateVariable[];
  /** What follows the last `:`, or empty. */
  readonly verb: string;
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Parses a path template of a `google.api.HttpRule`:
 *
 *     Template = "/" Segments [ ":" LITERAL ]
 *     Segments = Segment { "/" Segment }
 *     Segment  = "*" | "**" | LITERAL | "{" FieldPath [ "=" Segments ] "}"
 *
 * `**` may be followed by segments of a fixed number, which http.proto forbids and every gateway accepts; it
 * may stand only once. Throws RpcError `http_rule_invalid` with the place of the mistake.
 * Source: google/api/http.proto.
 */
export function parsePathTemplate(template: string): PathTemplate {
  return new TemplateParser(template).parse();
}

class TemplateParser {
  readonly #text: string;
  #at = 0;
  readonly #segments: TemplateSegment[] = [];
  readonly #variables: TemplateVariable[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  parse(): PathTemplate {
    if (!this.#take("/")) this.#fail("a path template begins with '/'");
    // The root path itself: a template of no segment.
    if (this.#at < this.#text.length) this.#parseSegments(false);
    let verb = "";
    if (this.#take(":")) {
      verb = this.#literal();
      if (verb === "") this.#fail("a verb is missing after ':'");
    }
    if (this.#at < this.#text.length) this.#fail(`unexpected '${this.#text[this.#at] ?? ""}'`);
    if (this.#segments.filter((segment) => segment.kind === "multi").length > 1) {
      this.#fail("'**' stands more than once");
    }
    return { segments: this.#segments, variables: this.#variables, verb };
  }

  #parseSegments(inVariable: boolean): void {
    do {
      if (this.#take("**")) this.#segments.push({ kind: "multi" });
      else if (this.#take("*")) this.#segments.push({ kind: "single" });
      else if (this.#take("{")) {
        if (inVariable) this.#fail("a variable inside a variable");
        this.#parseVariable();
      } else {
        const text = this.#literal();
        if (text === "") this.#fail("an empty segment");
        this.#segments.push({ kind: "literal", text: this.#decode(text) });
      }
    } while (this.#take("/"));
  }

  #parseVariable(): void {
    const end = this.#text.slice(this.#at).search(/[=}]/);
    if (end < 0) this.#fail("a variable without its '}'");
    const fieldPath = this.#text.slice(this.#at, this.#at + end).split(".");
    for (const name of fieldPath) {
      if (!identifier.test(name)) this.#fail(`'${name}' is not a field name`);
    }
    this.#at += end;
    const start = this.#segments.length;
    if (this.#take("=")) this.#parseSegments(true);
    else this.#segments.push({ kind: "single" });
    if (!this.#take("}")) this.#fail("a variable without its '}'");
    const covered = this.#segments.slice(start);
    this.#variables.push({
      fieldPath,
      start,
      end: this.#segments.length,
      multi: covered.length !== 1 || covered[0]?.kind === "multi",
    });
  }

  // A colon inside the last segment but one is text; the last colon of the template begins the verb.
  #literal(): string {
    const from = this.#at;
    const lastColon = this.#text.lastIndexOf(":");
    const lastSlash = Math.max(this.#text.lastIndexOf("/"), this.#text.lastIndexOf("}"));
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] ?? "";
      if (char === "/" || char === "{" || char === "}" || char === "*") break;
      if (char === ":" && this.#at === lastColon && lastColon > lastSlash) break;
    }
    return this.#text.slice(from, this.#at);
  }

  #decode(text: string): string {
    try {
      return decodeURIComponent(text);
    } catch {
      return this.#fail(`'${text}' is not percent-encoded UTF-8`);
    }
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #fail(what: string): never {
    throw new RpcError("http_rule_invalid", `path template '${this.#text}', at ${this.#at + 1}: ${what}`);
  }
}
