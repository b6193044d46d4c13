import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { RpcError } from "../../src/error.ts";
import { JsonSplitter } from "../../src/transcode/json-splitter.ts";

function split(chunks: readonly Buffer[], maxBytes = 1000): string[] {
  const texts: string[] = [];
  const splitter = new JsonSplitter(maxBytes, (text) => {
    texts.push(text);
    return true;
  });
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return texts;
}

const table: Record<string, readonly string[]> = {
  "": [],
  " \n\t\r": [],
  '{"a":1}': ['{"a":1}'],
  '{"a":1}{"b":2}': ['{"a":1}', '{"b":2}'],
  '{"a":1}\n{"b":2}\n': ['{"a":1}', '{"b":2}'],
  '[1,[2,{"c":[]}]] {}': ['[1,[2,{"c":[]}]]', "{}"],
  '{"a":"}{[]\\"\\\\"}{}': ['{"a":"}{[]\\"\\\\"}', "{}"],
  '"x""y"': ['"x"', '"y"'],
  '"\\\\" 1': ['"\\\\"', "1"],
  "1 2\ntrue null": ["1", "2", "true", "null"],
  '1{"a":2}3': ["1", '{"a":2}', "3"],
  '{"é":"\u{1f600}"}': ['{"é":"\u{1f600}"}'],
  // What is not JSON still ends somewhere: the parser behind it says what is wrong.
  "}": ["}"],
  "]1": ["]", "1"],
  "{]": ["{]"],
  "tru,e": ["tru,e"],
};

describe("the splitter finds", () => {
  for (const [text, expected] of Object.entries(table)) {
    test(`${expected.length} texts in ${JSON.stringify(text)}, wherever it is cut`, () => {
      const bytes = Buffer.from(text);
      assert.deepEqual(split([bytes]), expected);
      assert.deepEqual(split([...bytes].map((byte) => Buffer.of(byte))), expected);
      for (let at = 0; at <= bytes.length; at++) {
        assert.deepEqual(split([bytes.subarray(0, at), bytes.subarray(at)]), expected, `cut at ${at}`);
      }
    });
  }

  test("every stream of JSON values again, in any pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat(20)), (values, cuts) => {
        const bytes = Buffer.from(values.map((value) => JSON.stringify(value)).join("\n"));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) chunks.push(bytes.subarray(at, (at += cut)));
        chunks.push(bytes.subarray(at));
        const found = split(chunks, 100_000).map((text) => JSON.parse(text) as unknown);
        assert.deepEqual(found, JSON.parse(JSON.stringify(values)));
      }),
    );
  });
});

test("the splitter stops where it is told, and goes on from there, whatever came meanwhile", () => {
  const texts: string[] = [];
  const splitter = new JsonSplitter(100, (text) => {
    texts.push(text);
    return texts.length % 2 === 0;
  });
  assert.equal(splitter.push(Buffer.from('{"a":1}2 "x"[')), false);
  assert.deepEqual(texts, ['{"a":1}']);
  assert.equal(splitter.push(Buffer.from("]")), false);
  assert.equal(splitter.resume(), false);
  assert.deepEqual(texts, ['{"a":1}', "2", '"x"']);
  assert.equal(splitter.resume(), true);
  splitter.end();
  assert.deepEqual(texts, ['{"a":1}', "2", '"x"', "[]"]);
});

const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof RpcError && error.code === expected;

describe("the splitter refuses", () => {
  test("a text over the limit, whole or in pieces, before it is held", () => {
    const text = Buffer.from(`"${"x".repeat(100)}"`);
    assert.deepEqual(split([text], 102), [text.toString()]);
    assert.throws(() => split([text], 101), code("message_too_large"));
    assert.throws(
      () =>
        split(
          [...text].map((byte) => Buffer.of(byte)),
          101,
        ),
      code("message_too_large"),
    );
  });

  test("nothing for white space without end", () => {
    assert.deepEqual(split([Buffer.from(" ".repeat(5000)), Buffer.from("{}")], 10), ["{}"]);
  });

  test("a text that ends in the middle", () => {
    for (const text of ['{"a":', '"x', "[1,2", '{"a":"\\']) {
      assert.throws(() => split([Buffer.from(text)]), code("json_invalid"), text);
    }
  });

  test("bytes that are not UTF-8", () => {
    assert.throws(() => split([Buffer.from([0x22, 0xff, 0x22])]), code("json_invalid"));
    assert.throws(() => split([Buffer.from([0x22, 0xc3]), Buffer.from([0x22])]), code("json_invalid"));
  });
});
