import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { base64Text, createBase64Decoder } from "../../src/grpc-web/base64-decoder.ts";

function decode(chunks: readonly string[]): string {
  const decoder = createBase64Decoder();
  return Buffer.concat(chunks.map((chunk) => decoder(Buffer.from(chunk)))).toString("hex");
}

describe("the decoder of base64 bodies", () => {
  const vectors: readonly [text: string, hex: string][] = [
    ["", ""],
    ["AAEC", "000102"],
    ["AAE=", "0001"],
    ["AA==", "00"],
    ["AA==AQ==", "0001"],
    ["AAECAA==AwQF", "00010200030405"],
    ["+/+/", "fbffbf"],
  ];
  for (const [text, hex] of vectors) {
    test(`reads ${JSON.stringify(text)}, wherever it is cut`, () => {
      assert.equal(decode([text]), hex);
      assert.equal(decode(text.split("")), hex);
      for (let at = 0; at <= text.length; at++) {
        assert.equal(decode([text.slice(0, at), text.slice(at)]), hex, `cut at ${at}`);
      }
    });
  }

  for (const text of ["AA=A", "====", "A===", "AA!A", "AA-_", "A A=", "AAE==AA="]) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => decode([text]), { name: "RpcError", code: "protobuf_invalid" });
    });
  }

  test("reads what the encoder writes", () => {
    const text = base64Text([Buffer.from([0, 1]), Buffer.from([2, 3])]);
    assert.equal(Buffer.from(text).toString(), "AAECAw==");
  });
});
