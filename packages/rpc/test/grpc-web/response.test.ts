import assert from "node:assert/strict";
import { test } from "node:test";
import { trailerBlock } from "../../src/grpc-web/response.ts";
import { trailersFromStatus } from "../../src/wire/grpc-trailers.ts";

test("trailers are lines of lower-case names, one for each value", () => {
  const status = { code: 5, message: "no €\r\n", details: Buffer.from([0, 1, 2, 3]) };
  assert.equal(
    trailerBlock(trailersFromStatus(status, { one: "1", many: ["a", "b"] })),
    "grpc-status: 5\r\ngrpc-message: no %E2%82%AC%0D%0A\r\ngrpc-status-details-bin: AAECAw\r\none: 1\r\nmany: a\r\nmany: b\r\n",
  );
});

test("a message cannot add a trailer", () => {
  const block = trailerBlock(trailersFromStatus({ code: 2, message: "x\r\ngrpc-status: 0" }, {}));
  assert.equal(block.split("\r\n").length, 3);
});
