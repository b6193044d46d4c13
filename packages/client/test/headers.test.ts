import assert from "node:assert/strict";
import { test } from "node:test";
import { headersFromMetadata, metadataFromHeaders } from "../src/headers.ts";

const plain = (headers: HeadersInit | undefined): Record<string, unknown> => ({
  ...metadataFromHeaders(headers),
});

test("headers become metadata, in lower case and without what the framing owns", () => {
  assert.deepEqual(plain(undefined), {});
  assert.deepEqual(
    plain([
      ["Authorization", "Bearer x"],
      ["X-Many", "1"],
      ["x-many", "2"],
      ["content-type", "application/proto"],
      ["grpc-timeout", "1S"],
      ["connect-protocol-version", "1"],
      ["te", "trailers"],
      ["grpc-previous-rpc-attempts", "1"],
    ]),
    { authorization: "Bearer x", "x-many": "1, 2", "grpc-previous-rpc-attempts": "1" },
  );
});

test("binary headers are separate values", () => {
  assert.deepEqual(
    plain([
      ["a-bin", "AAEC"],
      ["a-bin", "//79"],
      ["b-bin", "AA=="],
    ]),
    { "a-bin": ["AAEC", "//79"], "b-bin": "AA==" },
  );
});

test("metadata becomes headers", () => {
  const headers = headersFromMetadata({ a: "1", b: ["2", "3"], "c-bin": "AAEC" });
  assert.deepEqual(
    [...headers],
    [
      ["a", "1"],
      ["b", "2, 3"],
      ["c-bin", "AAEC"],
    ],
  );
  headersFromMetadata({ a: "4" }, headers);
  assert.equal(headers.get("a"), "1, 4");
});
