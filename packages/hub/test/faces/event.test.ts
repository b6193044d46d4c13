import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { decodeEventId, encodeEventId } from "../../src/faces/sse/event-id.ts";
import { encodeEvent } from "../../src/faces/sse/event.ts";
import { sseFace } from "../../src/faces/sse/sse-face.ts";
import { Message, Publication } from "../../src/index.ts";

/** What a client of the HTML standard makes of one event. */
function dispatched(event: string): { readonly type: string; readonly data: string } {
  let type = "message";
  const lines: string[] = [];
  assert.ok(event.endsWith("\n\n"));
  for (const line of event.slice(0, -2).split(/\r\n|\r|\n/)) {
    if (line.startsWith("event: ")) type = line.slice(7);
    else if (line.startsWith("data: ")) lines.push(line.slice(6));
    else assert.fail(`an unknown line: ${JSON.stringify(line)}`);
  }
  return { type, data: lines.join("\n") };
}

describe("an event", () => {
  const events: [name: string, type: string, data: string | Uint8Array, expected: string][] = [
    ["a text", "", "hello", "data: hello\n\n"],
    ["nothing", "", "", "data: \n\n"],
    ["a type", "chat", "hello", "event: chat\ndata: hello\n\n"],
    ["a leading space", "", " hello", "data:  hello\n\n"],
    ["lines", "", "a\nb\rc\r\nd", "data: a\ndata: b\ndata: c\ndata: d\n\n"],
    ["empty lines", "", "\n\r\n", "data: \ndata: \ndata: \n\n"],
    ["what looks like fields", "", "x\nid: 7\nevent: y", "data: x\ndata: id: 7\ndata: event: y\n\n"],
    ["a type that would be a field more", "x\r\nid: 7", "", "event: x id: 7\ndata: \n\n"],
    ["bytes", "", Buffer.from("00ff", "hex"), 'data: {"base64":"AP8="}\n\n'],
  ];
  for (const [name, type, data, expected] of events) {
    test(`has ${name}`, () => assert.equal(encodeEvent({ type, data }), expected));
  }

  test("of what is said never looks like one of the stream itself", () => {
    const message = Message.from({ data: "{}", type: "sluice.close" });
    const publication = new Publication({ room: "room", message, publishedAt: 0 });
    assert.equal(sseFace.message(message).body.toString(), "data: {}\n\n");
    assert.equal(sseFace.publication(publication).body.toString(), "data: {}\n\n");
  });

  test("brings any text to the client, with its line breaks as LF", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "\r", "\n", ":", " ", "é", "id: 1", "data: ") });
    fc.assert(
      fc.property(text, text, (data, type) => {
        const event = dispatched(encodeEvent({ data, type }));
        assert.equal(event.data, data.replace(/\r\n|\r/g, "\n"));
      }),
    );
  });
});

describe("the id of an event", () => {
  const ids: [id: string, position: ReturnType<typeof decodeEventId>][] = [
    ["0", { received: 0, rooms: [] }],
    ["12;e1.5", { received: 12, rooms: [{ epoch: "e1", offset: 5 }] }],
    ["12;;e.2.0", { received: 12, rooms: [undefined, { epoch: "e.2", offset: 0 }] }],
    ["1;a%3Bb%0A.7", { received: 1, rooms: [{ epoch: "a;b\n", offset: 7 }] }],
  ];
  for (const [id, position] of ids) {
    test(`is ${id}`, () => {
      assert.deepEqual(decodeEventId(id), position);
      assert.equal(encodeEventId(position!), id);
    });
  }

  for (const id of [
    "",
    "-1",
    "01",
    "1.5",
    "x",
    "9007199254740992",
    "99999999999999999999",
    "1;e",
    "1;.5",
    "1;e.",
    "1;e.-1",
    "1;e.01",
    "1;%.1",
    " 1",
    "1 ",
    `1${";e.1".repeat(3_000)}`,
  ]) {
    test(`is not ${JSON.stringify(id.slice(0, 20))}`, () => assert.equal(decodeEventId(id), undefined));
  }

  test("says where a client was", () => {
    const room = fc.option(
      fc.record(
        { epoch: fc.string({ minLength: 1, maxLength: 40 }), offset: fc.maxSafeNat() },
        { noNullPrototype: true },
      ),
      { nil: undefined },
    );
    const position = fc.record(
      { received: fc.maxSafeNat(), rooms: fc.array(room, { maxLength: 8 }) },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(position, (each) => {
        const id = encodeEventId(each);
        assert.match(id, /^[\x21-\x7e]+$/);
        assert.deepEqual(decodeEventId(id), each);
      }),
    );
  });
});
