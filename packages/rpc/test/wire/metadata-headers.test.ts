import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodingsFromHeader } from "../../src/wire/compression.ts";
import { headerValue, metadataFromHeaders } from "../../src/wire/metadata-headers.ts";

const plain = (raw: readonly string[]): object => ({ ...metadataFromHeaders(raw) });

describe("metadata from headers", () => {
  test("has what is not the wire's own, in lower case", () => {
    const raw = [
      ":path",
      "/s/M",
      "Host",
      "h",
      "Content-Type",
      "t",
      "TE",
      "trailers",
      "X-One",
      "1",
      "x-one",
      "2",
    ];
    assert.deepEqual(plain(raw), { "x-one": ["1", "2"] });
  });

  test("has no header that would end the connection with the backend", () => {
    const raw = ["HTTP2-Settings", "AAM", "Upgrade", "h2c", "Connection", "x", "Keep-Alive", "1", "x", "y"];
    assert.deepEqual(plain(raw), { x: "y" });
  });

  test("has no value that HTTP/2 cannot carry", () => {
    assert.deepEqual(plain(["a", "ü", "b", "x\u0000", "c-bin", "!", "d-bin", "AA, AQ=="]), {
      "d-bin": ["AA", "AQ=="],
    });
  });

  test("is read in a time that grows with its length alone", () => {
    const begun = performance.now();
    const value = `AA${" ".repeat(60_000)}AA`;
    assert.deepEqual(plain(["a-bin", value]), { "a-bin": value });
    assert.deepEqual(encodingsFromHeader(`gzip${" ".repeat(60_000)}x, br`), ["br"]);
    assert.ok(performance.now() - begun < 1000);
  });

  test("leaves out what the dialect keeps", () => {
    assert.deepEqual(
      { ...metadataFromHeaders(["own", "1", "other", "2"], (name) => name === "own") },
      { other: "2" },
    );
  });
});

test("several values of a header that has one in HTTP are joined", () => {
  assert.equal(headerValue("authorization", ["a", "b"]), "a, b");
  assert.deepEqual(headerValue("x-many", ["a", "b"]), ["a", "b"]);
});
