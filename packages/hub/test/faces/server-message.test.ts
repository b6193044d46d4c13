import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { parseClientMessage } from "../../src/faces/session-wire/parse-client-message.ts";
import {
  encodeConnected,
  encodeDropped,
  encodeError,
  encodeLost,
  encodeMessage,
  encodeOk,
  encodePublication,
} from "../../src/faces/session-wire/server-message.ts";

const hello = { data: "hello", isJson: false, type: "", from: 0 };
const place = { room: "chat:1", epoch: "e1", offset: 7 };

describe("what the server says on the session wire", () => {
  const messages: [name: string, encoded: string, expected: string][] = [
    ["a text", encodeMessage(hello), '{"message":"hello"}'],
    ["a text with quotes", encodeMessage({ ...hello, data: 'a"\n' }), '{"message":"a\\"\\n"}'],
    ["JSON", encodeMessage({ ...hello, data: '{"a":1.0}', isJson: true }), '{"message":{"a":1.0}}'],
    ["bytes", encodeMessage({ ...hello, data: Buffer.from("00ff", "hex") }), '{"message":{"base64":"AP8="}}'],
    [
      "a message of another session, with its type",
      encodeMessage({ ...hello, type: "chat", from: 12 }),
      '{"message":"hello","type":"chat","from":12}',
    ],
    [
      "a publication",
      encodePublication({ ...place, message: hello }, false),
      '{"room":"chat:1","data":"hello","offset":7}',
    ],
    [
      "a publication of an epoch that is new to the client",
      encodePublication({ ...place, message: { ...hello, type: "chat", from: 3 } }, true),
      '{"room":"chat:1","data":"hello","offset":7,"epoch":"e1","type":"chat","from":3}',
    ],
    [
      "a publication of a room without history",
      encodePublication({ room: 'a"', epoch: "", offset: 0, message: hello }, true),
      '{"room":"a\\"","data":"hello"}',
    ],
    ["an answer", encodeOk(7, "{}"), '{"id":7,"ok":{}}'],
    [
      "an error",
      encodeError(7, { code: "PERMISSION_DENIED", message: "no" }),
      '{"id":7,"error":{"code":"PERMISSION_DENIED","message":"no"}}',
    ],
    [
      "an error of a command without an id",
      encodeError(undefined, { code: "INVALID_ARGUMENT", message: "no" }),
      '{"error":{"code":"INVALID_ARGUMENT","message":"no"}}',
    ],
    ["dropped messages", encodeDropped(3, ""), '{"dropped":{"count":3}}'],
    ["dropped publications", encodeDropped(3, "a"), '{"dropped":{"room":"a","count":3}}'],
    ["a loss", encodeLost("a"), '{"lost":{"room":"a"}}'],
    ["a loss in several rooms", encodeLost(""), '{"lost":{}}'],
    [
      "the beginning",
      encodeConnected({
        session: "s",
        number: 1,
        resumed: false,
        recovered: false,
        rooms: [{ room: "a", epoch: "e", offset: 1, recovered: true }],
        pingSeconds: 25,
      }),
      '{"connected":{"session":"s","number":1,"resumed":false,"recovered":false,"rooms":[{"room":"a","epoch":"e","offset":1,"recovered":true}],"pingSeconds":25}}',
    ],
  ];
  for (const [name, encoded, expected] of messages) {
    test(`${name} is ${expected}`, () => assert.equal(encoded, expected));
  }

  test("what a client says arrives at another as it was said", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }).map((each) => JSON.stringify(each)),
          fc.json(),
        ),
        (data) => {
          const parsed = parseClientMessage(`{"send":${data}}`);
          assert.ok("said" in parsed);
          const encoded = encodeMessage({ ...hello, ...parsed.said });
          assert.deepEqual(JSON.parse(encoded), { message: JSON.parse(data) as unknown });
        },
      ),
    );
  });
});
