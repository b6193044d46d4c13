import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import {
  encodingsFromHeader,
  inflate,
  isSupportedEncoding,
  supportedEncodings,
  type Inflated,
} from "../../src/wire/compression.ts";

/** Inflates, and resolves also where that takes a trip to the thread pool. */
function inflated(bytes: Uint8Array, encoding: string, maxBytes: number): Promise<Inflated> {
  return new Promise((resolve) => {
    const now = inflate(bytes, encoding, maxBytes, resolve);
    if (now !== undefined) resolve(now);
  });
}

describe("the encodings that a header lists", () => {
  const vectors: readonly [header: string | undefined, found: readonly string[]][] = [
    [undefined, []],
    ["", []],
    ["identity", []],
    ["gzip", ["gzip"]],
    ["identity,gzip,deflate", ["gzip", "deflate"]],
    [" GZIP , br ,gzip", ["gzip", "br"]],
    ["gzip;q=0.5, br;q=0, zstd;q=0.0, deflate; q=1", ["gzip", "deflate"]],
    ["*", []],
    ["snappy, x\r\ny", ["snappy"]],
  ];
  for (const [header, found] of vectors) {
    test(`of ${JSON.stringify(header)} are ${JSON.stringify(found)}`, () => {
      assert.deepEqual(encodingsFromHeader(header), found);
    });
  }
});

describe("inflating", () => {
  const compressors = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
  for (const [encoding, compress] of Object.entries(compressors)) {
    test(`undoes ${encoding}, small and large`, async () => {
      assert.ok(isSupportedEncoding(encoding));
      assert.ok(supportedEncodings.split(",").includes(encoding));
      for (const bytes of [Buffer.from("sluice"), Buffer.alloc(0), Buffer.alloc(300_000, "sluice gate")]) {
        const result = await inflated(compress(bytes), encoding, 300_000);
        assert.ok(result.kind === "message");
        assert.ok(Buffer.from(result.bytes).equals(bytes));
      }
    });

    test(`refuses a bomb of ${encoding}, at its small and its large limit`, async () => {
      const bomb = compress(Buffer.alloc(50_000_000));
      for (const limit of [0, 1_000, 1_000_000]) {
        const result = await inflated(bomb, encoding, limit);
        assert.ok(result.kind === "failed");
        assert.equal(result.status.code, 8);
        assert.match(result.status.message, new RegExp(`more than the maximum of ${limit} bytes`));
      }
    });

    test(`refuses what is not ${encoding}`, async () => {
      for (const bytes of [Buffer.from("nonsense"), Buffer.alloc(10_000, "nonsense")]) {
        const result = await inflated(bytes, encoding, 1_000_000);
        assert.ok(result.kind === "failed");
        assert.equal(result.status.code, 3);
      }
    });
  }

  test("takes a message of exactly the limit", async () => {
    const result = await inflated(gzipSync(Buffer.alloc(1_000)), "gzip", 1_000);
    assert.equal(result.kind, "message");
  });
});
