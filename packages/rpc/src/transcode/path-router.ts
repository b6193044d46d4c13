import type { PathTemplate } from "./path-template.ts";
import { decodeSegment, unescapeSegment, type PathUnescaping } from "./path-unescaping.ts";

/** A route that was found, and where in the path its variables lie. */
export interface RouteMatch<Route> {
  readonly kind: "found";
  readonly route: Route;
  /** The values of the template's variables, in its order, percent-decoded. */
  readonly values: readonly string[];
}

/**
 * What a path leads to: a route, a path that knows other HTTP methods only, nothing, or a path that is not
 * percent-encoded UTF-8.
 */
export type RouteResult<Route> =
  | RouteMatch<Route>
  | { readonly kind: "wrong_method"; readonly allowed: readonly string[] }
  | { readonly kind: "not_found" }
  | { readonly kind: "malformed"; readonly segment: string };

interface Leaf<Route> {
  readonly template: PathTemplate;
  readonly route: Route;
}

/** A node of the tree of segments: what may come next, and what ends here (by verb, then by HTTP method). */
class Node<Route> {
  readonly literals = new Map<string, Node<Route>>();
  single: Node<Route> | undefined;
  multi: Node<Route> | undefined;
  readonly leaves = new Map<string, Map<string, Leaf<Route>>>();
}

interface Found<Route> {
  readonly methods: ReadonlyMap<string, Leaf<Route>>;
  /** How many segments of the path `**` took; -1 without one. */
  readonly multiLength: number;
}

/**
 * Finds the route of an HTTP method and a path among path templates: a literal before `*` before `**`, a verb
 * before the same text as part of the last segment, an HTTP method before `*`. Of two routes with one template
 * the later wins. A trailing slash is a segment of its own, so it matters. Source: google/api/http.proto.
 */
export class PathRouter<Route> {
  readonly #root = new Node<Route>();
  readonly #unescaping: PathUnescaping;

  /** `unescaping` is how the values of variables are decoded; default: as http.proto says. */
  constructor(unescaping: PathUnescaping = "spec") {
    this.#unescaping = unescaping;
  }

  /**
   * Adds a route; `method` is an HTTP method in upper case, or `*` for any. Answers the route with the same method
   * and template, which is found no more.
   */
  add(method: string, template: PathTemplate, route: Route): Route | undefined {
    let node = this.#root;
    for (const segment of template.segments) {
      if (segment.kind === "literal") {
        let next = node.literals.get(segment.text);
        if (next === undefined) node.literals.set(segment.text, (next = new Node()));
        node = next;
      } else {
        node = node[segment.kind] ??= new Node();
      }
    }
    let methods = node.leaves.get(template.verb);
    if (methods === undefined) node.leaves.set(template.verb, (methods = new Map()));
    const before = methods.get(method)?.route;
    methods.set(method, { template, route });
    return before;
  }

  /** Finds a route. `path` is the path of the URL as it came: percent-encoded, without a query. */
  match(method: string, path: string): RouteResult<Route> {
    const raw = path === "/" || path === "" ? [] : path.slice(1).split("/");
    const segments: string[] = [];
    for (const segment of raw) {
      const text = decodeSegment(segment);
      if (text === undefined) return { kind: "malformed", segment };
      segments.push(text);
    }

    const allowed = new Set<string>();
    for (const split of splitsAtVerb(raw, segments)) {
      let match: RouteMatch<Route> | undefined;
      visit(this.#root, split.segments, 0, -1, split.verb, (found) => {
        const leaf = found.methods.get(method) ?? found.methods.get("*");
        if (leaf === undefined) {
          for (const each of found.methods.keys()) allowed.add(each);
          return false;
        }
        match = {
          kind: "found",
          route: leaf.route,
          values: valuesOf(leaf.template, split, found.multiLength, this.#unescaping),
        };
        return true;
      });
      if (match !== undefined) return match;
    }
    return allowed.size > 0 ? { kind: "wrong_method", allowed: [...allowed] } : { kind: "not_found" };
  }
}

interface SplitPath {
  readonly raw: readonly string[];
  readonly segments: readonly string[];
  readonly verb: string;
}

// The text after the last colon of the last segment may be a verb, or belong to the segment.
function splitsAtVerb(raw: readonly string[], segments: readonly string[]): readonly SplitPath[] {
  const whole: SplitPath = { raw, segments, verb: "" };
  const last = raw.at(-1);
  const colon = last === undefined ? -1 : last.lastIndexOf(":");
  if (last === undefined || colon < 0) return [whole];
  const verb = decodeSegment(last.slice(colon + 1)) ?? "";
  const head = last.slice(0, colon);
  const withVerb: SplitPath = {
    raw: [...raw.slice(0, -1), head],
    segments: [...segments.slice(0, -1), decodeSegment(head) ?? ""],
    verb,
  };
  return verb === "" ? [whole] : [withVerb, whole];
}

function visit<Route>(
  node: Node<Route>,
  segments: readonly string[],
  at: number,
  multiLength: number,
  verb: string,
  accept: (found: Found<Route>) => boolean,
): boolean {
  const text = segments[at];
  if (text === undefined) {
    const methods = node.leaves.get(verb);
    if (methods !== undefined && accept({ methods, multiLength })) return true;
  } else {
    const literal = node.literals.get(text);
    if (literal !== undefined && visit(literal, segments, at + 1, multiLength, verb, accept)) return true;
    // A variable of one segment needs a value: an empty segment has none.
    if (node.single !== undefined && text !== "") {
      if (visit(node.single, segments, at + 1, multiLength, verb, accept)) return true;
    }
  }
  if (node.multi !== undefined) {
    for (let next = segments.length; next >= at; next--) {
      if (visit(node.multi, segments, next, next - at, verb, accept)) return true;
    }
  }
  return false;
}

function valuesOf(
  template: PathTemplate,
  path: SplitPath,
  multiLength: number,
  unescaping: PathUnescaping,
): readonly string[] {
  if (template.variables.length === 0) return [];
  const multiAt = template.segments.findIndex((segment) => segment.kind === "multi");
  // Where a segment of the template lies in the path: behind `**` everything is moved by what it took.
  const place = (index: number): number =>
    multiAt >= 0 && index > multiAt ? index + multiLength - 1 : index;
  return template.variables.map((variable) => {
    const start = place(variable.start);
    const end = place(variable.end);
    const raw = path.raw.slice(start, end);
    return raw.map((segment) => unescapeSegment(segment, variable.multi, unescaping)).join("/");
  });
}
