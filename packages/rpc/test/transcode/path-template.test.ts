import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RpcError } from "../../src/error.ts";
import { parsePathTemplate, type PathTemplate } from "../../src/transcode/path-template.ts";

/** The template again, each variable as `{field:start-end}` and with a `!` if it may cover several segments. */
function written({ segments, variables, verb }: PathTemplate): string {
  const path = segments.map((each) => (each.kind === "literal" ? each.text : each.kind)).join("/");
  const fields = variables.map(
    ({ fieldPath, start, end, multi }) => ` {${fieldPath.join(".")}:${start}-${end}${multi ? "!" : ""}}`,
  );
  return `/${path}${verb === "" ? "" : `:${verb}`}${fields.join("")}`;
}

const templates: Record<string, string> = {
  "/": "/",
  "/v1/messages": "/v1/messages",
  "/v1/*": "/v1/single",
  "/v1/**": "/v1/multi",
  "/v1/messages/{id}": "/v1/messages/single {id:2-3}",
  "/v1/{id=*}": "/v1/single {id:1-2}",
  "/v1/{book.name}": "/v1/single {book.name:1-2}",
  "/v1/{name=shelves/*}": "/v1/shelves/single {name:1-3!}",
  "/v1/{name=shelves/*/books/*}:move": "/v1/shelves/single/books/single:move {name:1-5!}",
  "/v1/{path=**}": "/v1/multi {path:1-2!}",
  "/v1/{path=**}:download": "/v1/multi:download {path:1-2!}",
  "/v1/{path=**}/tail": "/v1/multi/tail {path:1-2!}",
  "/v1/{a}/{b.c}:verb": "/v1/single/single:verb {a:1-2} {b.c:2-3}",
  "/v1/a:b/c": "/v1/a:b/c",
  "/v1/a:b:c": "/v1/a:b:c",
  "/v1/{name=a:b/*}": "/v1/a:b/single {name:1-3!}",
  "/v1/caf%C3%A9": "/v1/café",
  "/pkg.Service/Method": "/pkg.Service/Method",
};

const mistakes: Record<string, RegExp> = {
  "": /at 1: a path template begins with '\/'/,
  v1: /begins with '\/'/,
  "/v1//x": /at 5: an empty segment/,
  "/v1/": /an empty segment/,
  "/v1/{id": /a variable without its '}'/,
  "/v1/{id=*": /a variable without its '}'/,
  "/v1/{}": /'' is not a field name/,
  "/v1/{a..b}": /'' is not a field name/,
  "/v1/{1a}": /'1a' is not a field name/,
  "/v1/{a={b}}": /a variable inside a variable/,
  "/v1/{a}b": /at 8: unexpected 'b'/,
  "/v1/***": /unexpected '\*'/,
  "/v1/a*": /unexpected '\*'/,
  "/v1/x:": /a verb is missing after ':'/,
  "/v1/**/**": /'\*\*' stands more than once/,
  "/v1/{a=**}/{b=**}": /'\*\*' stands more than once/,
  "/v1/%zz": /not percent-encoded/,
};

describe("a path template", () => {
  for (const [template, expected] of Object.entries(templates)) {
    test(`${template} is understood`, () => assert.equal(written(parsePathTemplate(template)), expected));
  }
  for (const [template, message] of Object.entries(mistakes)) {
    test(`'${template}' is refused with the place of the mistake`, () => {
      assert.throws(
        () => parsePathTemplate(template),
        (error) =>
          error instanceof RpcError && error.code === "http_rule_invalid" && message.test(error.message),
      );
    });
  }
});
