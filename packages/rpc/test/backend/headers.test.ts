import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Metadata } from "@sluice/rpc";
import { requestHeaders } from "../../src/backend/headers.ts";
import { metadataFromHeaders } from "../../src/wire/metadata-headers.ts";

const plain = (object: object): object => ({ ...object });

/** What becomes of metadata in a request. */
function sent(metadata: Metadata): object {
  const { ":method": _method, ":path": _path, ...rest } = requestHeaders({}, "/s/M", undefined, metadata);
  return rest;
}

describe("the headers of a request", () => {
  test("begin with the definition of the call", () => {
    const headers = requestHeaders({ te: "trailers" }, "/s/M", "5m", { x: "1" });
    assert.deepEqual(Object.entries(headers), [
      [":method", "POST"],
      [":path", "/s/M"],
      ["te", "trailers"],
      ["grpc-timeout", "5m"],
      ["x", "1"],
    ]);
  });

  test("carry metadata as it is given", () => {
    const metadata = {
      "a-b_c.1": "text, with commas ",
      many: ["1", "2"],
      "x-bin": "AAE=",
      "y-bin": ["AA", "AQ"],
    };
    assert.deepEqual(sent(metadata), metadata);
  });

  test("carry the binary trace of OpenCensus", () => {
    assert.deepEqual(sent({ "grpc-trace-bin": "AA", "grpc-tags-bin": "AA" }), {
      "grpc-trace-bin": "AA",
      "grpc-tags-bin": "AA",
    });
  });

  test("carry how often the call was tried before", () => {
    assert.deepEqual(sent({ "grpc-previous-rpc-attempts": "2" }), { "grpc-previous-rpc-attempts": "2" });
  });

  const left: readonly [name: string, value: string][] = [
    [":authority", "other"],
    ["connection", "close"],
    ["content-length", "3"],
    ["content-type", "text/plain"],
    ["grpc-anything", "x"],
    ["grpc-encoding", "gzip"],
    ["grpc-status", "0"],
    ["grpc-timeout", "1S"],
    ["host", "other"],
    ["keep-alive", "5"],
    ["proxy-connection", "x"],
    ["te", "gzip"],
    ["transfer-encoding", "chunked"],
    ["upgrade", "h2c"],
    ["user-agent", "curl"],
    ["", "empty"],
    ["Upper", "x"],
    ["sp ace", "x"],
    ["ümlaut", "x"],
    ["line", "a\r\nb: c"],
    ["nul", "a\0b"],
    ["umlaut", "ü"],
    ["not-base64-bin", "!"],
  ];
  for (const [name, value] of left) {
    test(`leave out ${JSON.stringify({ [name]: value })}`, () => {
      assert.deepEqual(sent({ [name]: value }), {});
      assert.deepEqual(sent({ [name]: [value] }), {});
    });
  }

  test("keep the good ones among several values", () => {
    assert.deepEqual(sent({ x: ["ok", "ü", "fine"] }), { x: ["ok", "fine"] });
  });
});

describe("the metadata of a response", () => {
  test("has no prototype and no wire headers", () => {
    const raw = [
      ":status",
      "200",
      "content-type",
      "application/grpc",
      "grpc-status",
      "0",
      "x",
      "1",
      "date",
      "today",
    ];
    const metadata = metadataFromHeaders(raw);
    assert.equal(Object.getPrototypeOf(metadata), null);
    assert.deepEqual(plain(metadata), { x: "1", date: "today" });
  });

  test("keeps several values in order", () => {
    assert.deepEqual(plain(metadataFromHeaders(["a", "1", "b", "x", "a", "2, 3", "a", "4"])), {
      a: ["1", "2, 3", "4"],
      b: "x",
    });
  });

  test("splits binary values that were joined", () => {
    assert.deepEqual(plain(metadataFromHeaders(["a-bin", "AA==,AQ , Ag", "a-bin", "Aw"])), {
      "a-bin": ["AA==", "AQ", "Ag", "Aw"],
    });
  });

  test("takes names of the object prototype as any other", () => {
    assert.deepEqual(plain(metadataFromHeaders(["constructor", "a", "tostring", "b", "constructor", "c"])), {
      constructor: ["a", "c"],
      tostring: "b",
    });
  });

  test("leaves out what it could not send on", () => {
    assert.deepEqual(plain(metadataFromHeaders(["x", "\u{e4}", "y", "1", "z-bin", "*"])), { y: "1" });
  });
});
