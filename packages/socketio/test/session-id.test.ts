import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessionId } from "../src/engine/session-id.ts";

test("ids have 120 bits of chance each", () => {
  const ids = Array.from({ length: 5000 }, createSessionId);
  for (const id of ids) assert.match(id, /^[\w-]{20}$/);
  assert.equal(new Set(ids).size, ids.length);
  // Each character is any of 64, at each place.
  for (let place = 0; place < 20; place++) assert.equal(new Set(ids.map((id) => id[place])).size, 64);
});
