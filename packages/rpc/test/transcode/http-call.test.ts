import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  compileProtos,
  httpCallOf,
  needsMessage,
  RpcError,
  streamTargetOf,
  type JsonObject,
  type Method,
  type Schema,
} from "../../src/index.ts";

const echoProto = fileURLToPath(new URL("../../../testkit/proto/echo.proto", import.meta.url));

let schema: Schema;
before(async () => {
  schema = await compileProtos([echoProto], { importPaths: [dirname(echoProto)] });
});

function methodOf(name: string): Method {
  const method = schema.methods.get(`/sluice.test.v1.${name}`);
  assert.ok(method !== undefined);
  return method;
}

const table: readonly [name: string, message: JsonObject, request: string, body: string | undefined][] = [
  ["Echo/Say", { text: "a" }, "POST /v1/say", '{"text":"a"}'],
  ["Echo/Sleep", {}, "POST /sluice.test.v1.Echo/Sleep", "{}"],
  ["Echo/Repeat", { text: "a/b ?", count: 2 }, "GET /v1/repeat/a%2Fb%20%3F?count=2", undefined],
  [
    "Library/GetBook",
    { name: "shelves/1/books/2", full: true },
    "GET /v1/shelves/1/books/2?full=true",
    undefined,
  ],
  [
    "Library/CreateBook",
    { parent: "shelves/1", bookId: "b", book: { title: "T" } },
    "POST /v1/shelves/1/books?bookId=b",
    '{"title":"T"}',
  ],
  [
    "Library/UpdateBook",
    { book: { name: "shelves/1/books/2", title: "T" } },
    "PATCH /v1/shelves/1/books/2",
    '{"title":"T"}',
  ],
  [
    "Library/MoveBook",
    { name: "shelves/1/books/2", destination: "d" },
    "POST /v1/shelves/1/books/2:move",
    '{"destination":"d"}',
  ],
  ["Library/GetFile", { path: "a/b c" }, "GET /v1/files/a/b%20c", undefined],
  [
    "Library/GetEverything",
    { strings: ["a", "b"], point: { x: 1 } },
    "GET /v1/everything?strings=a&strings=b&point.x=1",
    undefined,
  ],
];

describe("the HTTP request for", () => {
  for (const [name, message, request, body] of table) {
    test(`${name} with ${JSON.stringify(message)} is ${request}`, () => {
      const original = structuredClone(message);
      const call = httpCallOf(methodOf(name), message);
      assert.deepEqual([`${call.method} ${call.target}`, call.body], [request, body]);
      assert.deepEqual(message, original, "the message is not changed");
    });
  }

  test("a message that lacks what the path needs is refused", () => {
    for (const message of [{}, { book: 1 }, { book: {} }, { book: { name: {} } }] as JsonObject[]) {
      assert.throws(
        () => httpCallOf(methodOf("Library/UpdateBook"), message),
        (error) =>
          error instanceof RpcError && error.code === "json_invalid" && /book\.name/.test(error.message),
      );
    }
  });

  test("a stream goes where its first message says", () => {
    assert.deepEqual(streamTargetOf(methodOf("Echo/Collect"), {}), { method: "POST", target: "/v1/collect" });
    assert.equal(streamTargetOf(methodOf("Echo/Repeat"), { text: "x", count: 1 }).target, "/v1/repeat/x");
    assert.deepEqual(
      [needsMessage(methodOf("Echo/Collect")), needsMessage(methodOf("Echo/Repeat"))],
      [false, true],
    );
  });
});
