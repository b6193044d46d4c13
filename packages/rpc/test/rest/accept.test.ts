import assert from "node:assert/strict";
import { test } from "node:test";
import { preferredType } from "../../src/rest/accept.ts";

const offered = ["application/x-ndjson", "text/event-stream", "application/json"] as const;

const table: readonly [accept: string | undefined, expected: string | undefined][] = [
  [undefined, undefined],
  ["", undefined],
  ["*/*", undefined],
  ["text/html", undefined],
  ["text/event-stream", "text/event-stream"],
  ["TEXT/Event-Stream", "text/event-stream"],
  ["text/html, application/json;q=0.9, */*;q=0.1", "application/json"],
  ["application/json;q=0.5, text/event-stream", "text/event-stream"],
  ["application/json, text/event-stream", "application/json"],
  ["application/json;q=0", undefined],
  ["application/json;q=nonsense", undefined],
  ["application/json; charset=utf-8 ; q=0.3,application/x-ndjson;q=0.2", "application/json"],
];

for (const [accept, expected] of table) {
  test(`Accept ${accept ?? "missing"} prefers ${expected ?? "nothing that is offered"}`, () => {
    assert.equal(preferredType(accept, offered), expected);
  });
}
