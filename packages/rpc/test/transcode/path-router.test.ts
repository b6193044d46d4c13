import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PathRouter } from "../../src/transcode/path-router.ts";
import { parsePathTemplate } from "../../src/transcode/path-template.ts";

function routerOf(...rules: readonly string[]): PathRouter<string> {
  const router = new PathRouter<string>();
  for (const rule of rules) {
    const [method = "", template = ""] = rule.split(" ");
    router.add(method, parsePathTemplate(template), rule);
  }
  return router;
}

function outcome(router: PathRouter<string>, request: string): string {
  const [method = "", path = ""] = request.split(" ");
  const result = router.match(method, path);
  switch (result.kind) {
    case "found":
      return [result.route, ...result.values].join(" | ");
    case "wrong_method":
      return `allow ${result.allowed.join(", ")}`;
    case "malformed":
      return `malformed ${result.segment}`;
    case "not_found":
      return "none";
  }
}

const router = routerOf(
  "GET /",
  "GET /v1/books",
  "POST /v1/books",
  "GET /v1/books/{name}",
  "GET /v1/books/latest",
  "GET /v1/books/{name}/pages/{page}",
  "GET /v1/{name=shelves/*/books/*}",
  "POST /v1/{name=shelves/*/books/*}:move",
  "GET /v1/files/{path=**}",
  "GET /v1/files/{path=**}:download",
  "GET /v1/trees/{path=**}/leaf/{leaf}",
  "* /v1/any/{name}",
  "POST /v1/any/{name}",
  "GET /v2/{a}/x",
  "GET /v2/y/{b}",
);

const table: Record<string, string> = {
  "GET /": "GET /",
  "GET /v1/books": "GET /v1/books",
  "POST /v1/books": "POST /v1/books",
  "PUT /v1/books": "allow GET, POST",
  "GET /v1/books/": "none",
  "GET /v1/nothing": "none",
  "GET //v1/books": "none",

  // A literal before a variable.
  "GET /v1/books/latest": "GET /v1/books/latest",
  "GET /v1/books/older": "GET /v1/books/{name} | older",
  "GET /v1/books/a/pages/7": "GET /v1/books/{name}/pages/{page} | a | 7",
  // Both could begin: the search goes back.
  "GET /v2/y/x": "GET /v2/y/{b} | x",
  "GET /v2/z/x": "GET /v2/{a}/x | z",
  "GET /v2/y/z": "GET /v2/y/{b} | z",

  // One segment is decoded whole, several keep their escaped slashes.
  "GET /v1/books/caf%C3%A9%20%2F%3F": "GET /v1/books/{name} | café /?",
  "GET /v1/books/a+b": "GET /v1/books/{name} | a+b",
  "GET /v1/shelves/1/books/2": "GET /v1/{name=shelves/*/books/*} | shelves/1/books/2",
  "GET /v1/shelves/a%2fb/books/c%20d": "GET /v1/{name=shelves/*/books/*} | shelves/a%2Fb/books/c d",
  "GET /v1/%62ooks": "GET /v1/books",
  "GET /v1/books/%zz": "malformed %zz",
  "GET /v1/books/%ff": "malformed %ff",

  // Verbs: a verb that is known, one that is text, and one whose method is not bound.
  "POST /v1/shelves/1/books/2:move": "POST /v1/{name=shelves/*/books/*}:move | shelves/1/books/2",
  "GET /v1/shelves/1/books/2:other": "GET /v1/{name=shelves/*/books/*} | shelves/1/books/2:other",
  "GET /v1/shelves/1/books/2:move": "GET /v1/{name=shelves/*/books/*} | shelves/1/books/2:move",
  "PUT /v1/shelves/1/books/2:move": "allow POST, GET",
  "GET /v1/books/urn:isbn:1": "GET /v1/books/{name} | urn:isbn:1",
  "GET /v1/books/a:": "GET /v1/books/{name} | a:",

  // `**` takes none, one or many segments, and may have a tail.
  "GET /v1/files": "GET /v1/files/{path=**} | ",
  "GET /v1/files/": "GET /v1/files/{path=**} | ",
  "GET /v1/files/a": "GET /v1/files/{path=**} | a",
  "GET /v1/files/a/b%2Fc/d": "GET /v1/files/{path=**} | a/b%2Fc/d",
  "GET /v1/files/a/b:download": "GET /v1/files/{path=**}:download | a/b",
  "GET /v1/trees/a/b/leaf/c": "GET /v1/trees/{path=**}/leaf/{leaf} | a/b | c",
  "GET /v1/trees/leaf/c": "GET /v1/trees/{path=**}/leaf/{leaf} |  | c",
  "GET /v1/trees/a/leaf": "none",

  // Any HTTP method, unless one is bound.
  "REPORT /v1/any/x": "* /v1/any/{name} | x",
  "POST /v1/any/x": "POST /v1/any/{name} | x",
  "GET /v1/any/": "none",
};

describe("the router", () => {
  for (const [request, expected] of Object.entries(table)) {
    test(`${request} leads to ${expected}`, () => assert.equal(outcome(router, request), expected));
  }

  test("of two routes with one template the later wins", () => {
    const twice = new PathRouter<string>();
    twice.add("GET", parsePathTemplate("/a/{x}"), "first");
    twice.add("GET", parsePathTemplate("/a/{y}"), "second");
    assert.deepEqual(twice.match("GET", "/a/1"), { kind: "found", route: "second", values: ["1"] });
  });

  test("a path of ten thousand segments is answered", () => {
    assert.equal(outcome(router, `GET ${"/a".repeat(10_000)}`), "none");
    assert.equal(
      outcome(router, `GET /v1/trees${"/leaf".repeat(5_000)}/x`).startsWith("GET /v1/trees"),
      true,
    );
  });

  test("names of Object.prototype are paths like any other", () => {
    assert.equal(outcome(routerOf("GET /a/__proto__"), "GET /a/constructor"), "none");
    assert.equal(outcome(routerOf("GET /a/__proto__"), "GET /a/__proto__"), "GET /a/__proto__");
  });
});
