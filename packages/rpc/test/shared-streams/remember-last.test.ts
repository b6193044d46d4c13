import assert from "node:assert/strict";
import { test } from "node:test";
import { rememberLast } from "../../src/shared-streams/remember-last.ts";

test("the work is done once for the same bytes in turn, and again for others with the same content", () => {
  let times = 0;
  const read = rememberLast((bytes) => `${++times}: ${bytes.length}`);
  const bytes = Buffer.from("abc");
  assert.deepEqual([read(bytes), read(bytes), read(bytes)], ["1: 3", "1: 3", "1: 3"]);
  assert.equal(read(Buffer.from("abc")), "2: 3");
  assert.equal(read(bytes), "3: 3");
});
