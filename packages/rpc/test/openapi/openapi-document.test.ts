import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Validator } from "@seriousme/openapi-schema-validator";
import { compileProtos, createOpenApiDocument } from "../../src/index.ts";

const echoProto = fileURLToPath(new URL("../../../testkit/proto/echo.proto", import.meta.url));

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: unknown;
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: unknown }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: unknown }>> }>
  >;
}

interface Document {
  readonly info: { readonly title: string; readonly version: string };
  readonly servers?: readonly unknown[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Record<string, unknown>>> };
}

let document: Document;
before(async () => {
  const schema = await compileProtos([echoProto], { importPaths: [dirname(echoProto)] });
  document = createOpenApiDocument(schema, { server: "http://localhost:8080" }) as unknown as Document;
});

function operation(method: string, path: string): Operation {
  const found = document.paths[path]?.[method];
  assert.ok(found !== undefined, `${method} ${path} is not in ${Object.keys(document.paths).join(" ")}`);
  return found;
}

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    const result = await validator.validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>);
    assert.deepEqual(result.errors ?? [], []);
    assert.equal(validator.version, "3.1");
  });

  test("names every operation once", () => {
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map((each) => each.operationId),
    );
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.includes("sluice.test.v1.Echo.Say") && ids.includes("sluice.test.v1.Echo.Say_2"));
  });

  test("refers only to what it has", () => {
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    for (const [, name = ""] of references) assert.ok(name in document.components.schemas, name);
  });

  test("writes a variable of several segments as a parameter for each", () => {
    const { parameters } = operation("get", "/v1/shelves/{shelf}/books/{book}");
    assert.deepEqual(
      parameters.filter((each) => each.in === "path").map(({ name, description }) => [name, description]),
      [
        ["shelf", "A part of the field name."],
        ["book", "A part of the field name."],
      ],
    );
    assert.ok("/v1/shelves/{shelf}/books/{book}:move" in document.paths);
    assert.match(
      operation("get", "/v1/files/{path}").parameters[0]?.description ?? "",
      /May contain slashes/,
    );
  });

  test("lists what the query can fill, and nothing that path or body cover", () => {
    const get = operation("get", "/v1/books/{name}");
    assert.deepEqual(
      get.parameters.map(({ name }) => name),
      ["name", "chapter", "full"],
    );
    const create = operation("post", "/v1/shelves/{shelf}/books");
    assert.deepEqual(
      create.parameters.map(({ name }) => name),
      ["shelf", "bookId"],
    );
    assert.deepEqual(operation("post", "/v1/say").parameters, []);
  });

  test("says which bodies go in and out, streams as NDJSON", () => {
    const collect = operation("post", "/v1/collect");
    assert.deepEqual(Object.keys(collect.requestBody?.content ?? {}), ["application/x-ndjson"]);
    assert.deepEqual(Object.keys(collect.responses["200"]?.content ?? {}), ["application/json"]);
    assert.deepEqual(Object.keys(operation("get", "/v1/repeat/{text}").responses["200"]?.content ?? {}), [
      "application/x-ndjson",
    ]);
    const list = operation("get", "/v1/shelves/{shelf}/books").responses["200"]?.content?.[
      "application/json"
    ];
    assert.deepEqual(list?.schema, {
      type: "array",
      items: { $ref: "#/components/schemas/sluice.test.v1.Book" },
    });
    const update = operation("patch", "/v1/shelves/{shelf}/books/{book}").requestBody?.content[
      "application/json"
    ];
    assert.deepEqual(update?.schema, { $ref: "#/components/schemas/sluice.test.v1.Book" });
  });

  test("has the comments of the .proto file", () => {
    assert.equal(operation("post", "/v1/say").summary, "Answers the text.");
    const count = operation("get", "/v1/repeat/{text}").parameters.find(({ name }) => name === "count");
    assert.equal(count?.description, "0 repeats until the call is cancelled.");
  });

  test("writes types as ProtoJSON does", () => {
    const book = document.components.schemas["sluice.test.v1.Book"]?.["properties"] as Record<
      string,
      unknown
    >;
    assert.deepEqual(book["pages"], { type: "string", format: "int64" });
    assert.deepEqual(book["authors"], { type: "array", items: { type: "string" } });
    assert.deepEqual(book["cover"], { $ref: "#/components/schemas/sluice.test.v1.Color" });
    const mask = operation("patch", "/v1/shelves/{shelf}/books/{book}").parameters.at(-1);
    assert.deepEqual([mask?.name, mask?.schema], ["updateMask", { type: "string" }]);
  });

  test("leaves out HTTP methods that OpenAPI does not know", () => {
    const methods = new Set(Object.values(document.paths).flatMap((item) => Object.keys(item)));
    for (const method of methods) assert.match(method, /^(get|put|post|delete|options|head|patch|trace)$/);
  });
});
