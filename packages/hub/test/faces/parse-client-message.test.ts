import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { memberText } from "../../src/faces/session-wire/json-member.ts";
import { parseClientMessage } from "../../src/faces/session-wire/parse-client-message.ts";
import { isRefusal } from "../../src/faces/refusal.ts";

const text = (data: string): unknown => ({ data, isJson: false });
const json = (data: string): unknown => ({ data, isJson: true });
const bytes = (hex: string): unknown => ({ data: Buffer.from(hex, "hex"), isJson: false });

describe("what a client says on the session wire", () => {
  const right: [said: string, meant: unknown][] = [
    ['{"connect":{}}', { verb: "connect", rooms: [] }],
    [
      '{"connect":{"token":"t","resume":{"key":"k","received":7},"rooms":[{"room":"a"},{"room":"b","epoch":"e","offset":3}]}}',
      {
        verb: "connect",
        token: "t",
        resume: { key: "k", received: 7 },
        rooms: [{ room: "a" }, { room: "b", since: { epoch: "e", offset: 3 } }],
      },
    ],
    ['{"send":"hello"}', { verb: "send", said: text("hello"), type: "" }],
    ['{"send":""}', { verb: "send", said: text(""), type: "" }],
    ['{"send":"hello","type":"chat","id":0}', { verb: "send", said: text("hello"), type: "chat", id: 0 }],
    ['{"send":null}', { verb: "send", said: json("null"), type: "" }],
    ['{"send":{"base64":""}}', { verb: "send", said: bytes(""), type: "" }],
    ['{"send":{"base64":"AP8="}}', { verb: "send", said: bytes("00ff"), type: "" }],
    ['{"send":{"base64":"AP8"}}', { verb: "send", said: bytes("00ff"), type: "" }],
    ['{"send":{"base64":"AP8=","x":1}}', { verb: "send", said: json('{"base64":"AP8=","x":1}'), type: "" }],
    ['{"join":"a","id":1}', { verb: "join", room: "a", id: 1 }],
    [
      '{"join":"a","since":{"epoch":"e","offset":0}}',
      { verb: "join", room: "a", since: { epoch: "e", offset: 0 } },
    ],
    ['{"leave":"a","id":1}', { verb: "leave", room: "a", id: 1 }],
    ['{"publish":"a","data":[1]}', { verb: "publish", room: "a", said: json("[1]"), type: "" }],
    [
      '{"publish":"a","data":"x","key":"k","type":"t","id":2}',
      { verb: "publish", room: "a", said: text("x"), type: "t", key: "k", id: 2 },
    ],
    ['{"presence":"a","id":1}', { verb: "presence", room: "a", id: 1 }],
    ['{"history":"a","id":1}', { verb: "history", room: "a", reverse: false, id: 1 }],
    [
      '{"history":"a","since":{"epoch":"e","offset":4},"limit":10,"reverse":true,"id":1}',
      { verb: "history", room: "a", since: { epoch: "e", offset: 4 }, limit: 10, reverse: true, id: 1 },
    ],
    ['{"refresh":"t","id":1}', { verb: "refresh", token: "t", id: 1 }],
    ['{"received":12}', { verb: "received", received: 12 }],
    // As it was written: no digit is lost, and nothing is reordered.
    ['{"send": 12345678901234567890 }', { verb: "send", said: json("12345678901234567890"), type: "" }],
    ['{"send":{"b":1.0,"2":1,"1":1}}', { verb: "send", said: json('{"b":1.0,"2":1,"1":1}'), type: "" }],
    [
      ' {"type":"x","\\u0073end":[ "]\\"}", {"a":[]} ] , "id":3}',
      { verb: "send", said: json('[ "]\\"}", {"a":[]} ]'), type: "x", id: 3 },
    ],
  ];
  for (const [said, meant] of right) {
    test(`${said} is understood`, () => assert.deepEqual(parseClientMessage(said), meant));
  }

  const wrong: [said: string, problem: RegExp][] = [
    ["", /must be JSON/],
    ["{", /must be JSON/],
    ['{"send":1}{}', /must be JSON/],
    ["null", /must be a JSON object/],
    ["[]", /must be a JSON object/],
    ['"send"', /must be a JSON object/],
    ["7", /must be a JSON object/],
    ["{}", /must have one of connect, send, join/],
    ['{"toString":1}', /must have one of/],
    ['{"__proto__":{"send":1}}', /must have one of/],
    ['{"send":1,"join":"a"}', /one verb, and this has send and join/],
    ['{"send":1,"id":-1}', /id must be a whole number/],
    ['{"send":1,"id":-0}', /id must be a whole number/],
    ['{"send":1,"id":1.5}', /id must be a whole number/],
    ['{"send":1,"id":"1"}', /id must be a whole number/],
    ['{"send":1,"id":null}', /id must be a whole number/],
    ['{"send":1,"id":9007199254740992}', /id must be a whole number/],
    ['{"connect":1}', /connect must be an object/],
    ['{"connect":{"token":1}}', /connect\.token must be a token/],
    ['{"connect":{"resume":"k"}}', /connect\.resume must be an object/],
    ['{"connect":{"resume":{"key":1,"received":0}}}', /connect\.resume\.key must be a text/],
    ['{"connect":{"resume":{"key":"k"}}}', /connect\.resume\.received must be a whole number/],
    ['{"connect":{"resume":{"key":"k","received":-1}}}', /connect\.resume\.received must be/],
    ['{"connect":{"rooms":{}}}', /connect\.rooms must be a list/],
    ['{"connect":{"rooms":["a"]}}', /each of connect\.rooms must be an object/],
    ['{"connect":{"rooms":[{"room":""}]}}', /room must be the name of a room/],
    ['{"connect":{"rooms":[{"room":"a","epoch":"e"}]}}', /offset must be a whole number/],
    ['{"connect":{"rooms":[{"room":"a","offset":1}]}}', /epoch must be a text/],
    ['{"connect":{"rooms":[{"room":"a","since":1}]}}', /"since" is unknown in connect\.rooms/],
    ['{"connect":{"user":"root"}}', /"user" is unknown in connect/],
    ['{"connect":{},"id":1}', /"id" is unknown with connect/],
    ['{"received":-1}', /received must be a whole number/],
    ['{"received":1,"id":1}', /"id" is unknown with received/],
  ];
  for (const [said, problem] of wrong) {
    test(`${said || "nothing"} is refused`, () => {
      const parsed = parseClientMessage(said);
      assert.ok(isRefusal(parsed));
      assert.equal(parsed.code, 4400);
      assert.match(parsed.reason, problem);
      assert.ok(Buffer.byteLength(parsed.reason) <= 123, "it fits into a close frame");
    });
  }

  const invalid: [said: string, problem: RegExp][] = [
    ['{"send":{"base64":"A"},"id":1}', /base64 must be bytes in base64/],
    ['{"send":{"base64":"AP8=="},"id":1}', /base64 must be/],
    ['{"send":{"base64":"A_8="},"id":1}', /base64 must be/],
    ['{"send":{"base64":7},"id":1}', /base64 must be/],
    ['{"send":1,"type":2,"id":1}', /type must be a text/],
    ['{"send":1,"to":2,"id":1}', /"to" is unknown with send/],
    ['{"join":7,"id":1}', /join must be the name of a room/],
    ['{"join":"","id":1}', /join must be the name of a room/],
    ['{"join":"a","since":7,"id":1}', /since must be an object/],
    ['{"join":"a","since":{"epoch":"e"},"id":1}', /since\.offset must be a whole number/],
    ['{"join":"a","since":{"epoch":"e","offset":1,"x":1},"id":1}', /"x" is unknown in since/],
    ['{"publish":"a","id":1}', /publish needs data/],
    ['{"publish":"a","data":1,"key":"","id":1}', /key must be a text of at least one/],
    ['{"history":"a","limit":"10","id":1}', /limit must be a whole number/],
    ['{"history":"a","reverse":1,"id":1}', /reverse must be true or false/],
    ['{"refresh":1,"id":1}', /refresh must be a token/],
  ];
  for (const [said, problem] of invalid) {
    test(`${said} is answered with what is wrong`, () => {
      const parsed = parseClientMessage(said);
      assert.ok(!isRefusal(parsed) && parsed.verb === "invalid");
      assert.equal(parsed.id, 1);
      assert.match(parsed.problem, problem);
    });
  }

  test("a command without an id may be invalid too", () => {
    assert.deepEqual(parseClientMessage('{"leave":1}'), {
      verb: "invalid",
      problem: "leave must be the name of a room",
    });
  });

  test("any JSON is found as it was written", () => {
    const spaces = fc.constantFrom("", " ", "\n", "\t ");
    const parts = fc.tuple(fc.json(), fc.json(), spaces, fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(parts, ([before, data, space, name]) => {
        fc.pre(name !== "send" && name !== "__proto__");
        const object = `{${JSON.stringify(name)}${space}:${before}${space},${space}"send":${space}${data}${space}}`;
        assert.equal(memberText(object, "send"), data.trim());
        assert.equal(memberText(object, "absent"), name === "absent" ? before.trim() : undefined);
      }),
    );
  });

  test("no text makes the parser throw", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (said) => void parseClientMessage(said)));
    fc.assert(fc.property(fc.json(), (said) => void parseClientMessage(said)));
    const members = fc.dictionary(
      fc.constantFrom("connect", "send", "join", "publish", "data", "since", "id", "key", "type", "history"),
      fc.jsonValue(),
    );
    fc.assert(fc.property(members, (said) => void parseClientMessage(JSON.stringify(said))));
  });
});
