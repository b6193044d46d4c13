import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isConnectGet, readGetQuery } from "../../src/connect/get-query.ts";

const recognised: readonly [url: string, isCall: boolean][] = [
  ["/s/M", false],
  ["/s/M?", false],
  ["/s/M?connect=v1", true],
  ["/s/M?connect=v2", false],
  ["/s/M?encoding=json&message=%7B%7D", true],
  ["/s/M?message=x", false],
];
for (const [url, isCall] of recognised) {
  test(`${url} is ${isCall ? "a" : "no"} call with GET`, () => {
    assert.equal(isConnectGet(url), isCall);
  });
}

describe("the query of a call with GET", () => {
  const good: readonly [query: string, format: string, hex: string, compression: string | undefined][] = [
    ["encoding=json&message=%7B%22a%22%3A1%7D", "json", Buffer.from('{"a":1}').toString("hex"), undefined],
    ["encoding=json&message={}&connect=v1", "json", "7b7d", undefined],
    ["encoding=json&message=a+b", "json", "612062", undefined],
    ["encoding=proto&message=%0A%ff%00", "proto", "0aff00", undefined],
    ["encoding=proto&message=", "proto", "", undefined],
    ["encoding=proto&base64=1&message=-_8", "proto", "fbff", undefined],
    ["encoding=proto&base64=1&message=%2B%2F8%3D", "proto", "fbff", undefined],
    ["encoding=proto&base64=1&message=+/8=", "proto", "fbff", undefined],
    ["encoding=proto&base64=0&message=AA", "proto", "4141", undefined],
    ["encoding=proto&base64=1&compression=gzip&message=AA", "proto", "00", "gzip"],
  ];
  for (const [query, format, hex, compression] of good) {
    test(`is read: ${query}`, () => {
      const read = readGetQuery(`/s/M?${query}`);
      assert.ok(read !== undefined && "message" in read && read.message instanceof Uint8Array);
      assert.ok("format" in read);
      assert.equal(read.format, format);
      assert.equal(Buffer.from(read.message).toString("hex"), hex);
      assert.equal(read.compression, compression);
    });
  }

  const wrong = [
    "message={}",
    "encoding=json",
    "connect=v2&encoding=json&message={}",
    "encoding=proto&base64=1&message=!",
  ];
  for (const query of wrong) {
    test(`is refused: ${query}`, () => {
      const read = readGetQuery(`/s/M?${query}`);
      assert.ok(read !== undefined && "code" in read);
      assert.equal(read.code, 3);
    });
  }

  test("has an encoding that is not known", () => {
    assert.equal(readGetQuery("/s/M?encoding=xml&message=x"), undefined);
  });
});
