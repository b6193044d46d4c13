import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeMessage, encodeMessage } from "../../src/wire/grpc-message.ts";

describe("grpc-message, decoded,", () => {
  const vectors: readonly [encoded: string, decoded: string][] = [
    ["", ""],
    ["plain text", "plain text"],
    ["100%25 sure", "100% sure"],
    ["%E2%82%AC and %c3%a4", "€ and ä"],
    ["%F0%9F%8C%8A", "🌊"],
    ["line%0Abreak", "line\nbreak"],
    ["cut %E2%82", "cut \u{fffd}"],
    ["bad %", "bad %"],
    ["bad %2", "bad %2"],
    ["bad %zz%41", "bad %zzA"],
  ];
  for (const [encoded, decoded] of vectors) {
    test(`${JSON.stringify(encoded)} is ${JSON.stringify(decoded)}`, () => {
      assert.equal(decodeMessage(encoded), decoded);
    });
  }
});

describe("grpc-message, encoded,", () => {
  const vectors: readonly [text: string, encoded: string][] = [
    ["", ""],
    ["plain text: !~", "plain text: !~"],
    ["100% sure", "100%25 sure"],
    ["€ and ä", "%E2%82%AC and %C3%A4"],
    ["🌊", "%F0%9F%8C%8A"],
    ["line\r\nbreak\t", "line%0D%0Abreak%09"],
    ["\u007f", "%7F"],
    ["\ud800", "%EF%BF%BD"],
  ];
  for (const [text, encoded] of vectors) {
    test(`${JSON.stringify(text)} is ${JSON.stringify(encoded)}`, () => {
      assert.equal(encodeMessage(text), encoded);
    });
  }
});
