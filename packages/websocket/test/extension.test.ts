import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  agreeToOffer,
  checkAnswer,
  defaultCompression,
  offerCompression,
  resolveCompression,
} from "../src/deflate/negotiation.ts";
import { parseExtensions } from "../src/handshake/extension.ts";

function read(field: string): unknown {
  return parseExtensions(field)?.map(({ name, parameters }) => [name, Object.fromEntries(parameters)]);
}

describe("a Sec-WebSocket-Extensions field", () => {
  test("is read as entries with parameters", () => {
    assert.deepEqual(read("foo"), [["foo", {}]]);
    assert.deepEqual(read("foo;bar;baz=1"), [["foo", { bar: true, baz: "1" }]]);
    assert.deepEqual(read(' foo ; bar = "1" \t,  foo;x="a\\bc" '), [
      ["foo", { bar: "1" }],
      ["foo", { x: "abc" }],
    ]);
    const [proto] = parseExtensions("__proto__; constructor; __proto__=1") ?? [];
    assert.equal(proto?.parameters.get("__proto__"), "1");
    assert.equal(proto?.parameters.get("toString"), undefined);
  });

  for (const field of [
    "",
    ",",
    "foo,",
    ",foo",
    "foo;",
    "foo;;bar",
    "foo;bar=",
    "foo;=1",
    "foo=1",
    "foo;bar=1=2",
    "foo bar",
    'foo;bar="',
    'foo;bar="1',
    'foo;bar="1\\"',
    'foo;bar=""',
    'foo;bar="a b"',
    '"foo"',
    'foo;"bar"',
    "foo;bar;bar",
    "foo;bar@",
    "föö",
  ]) {
    test(`is refused as ${JSON.stringify(field)}`, () => assert.equal(parseExtensions(field), undefined));
  }
});

function answer(offer: string, options: Parameters<typeof resolveCompression>[0]): string | undefined {
  return agreeToOffer(parseExtensions(offer)!, resolveCompression(options)!)?.answer;
}

describe("permessage-deflate", () => {
  const full = { windowBits: 15, peerWindowBits: 15 };
  const agreements: readonly [offer: string, options: object, answer: string | undefined][] = [
    ["permessage-deflate", full, "permessage-deflate"],
    ["permessage-deflate", {}, "permessage-deflate; server_max_window_bits=12"],
    [
      "permessage-deflate; client_max_window_bits",
      {},
      "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
    ],
    [
      "permessage-deflate; client_max_window_bits=10; server_max_window_bits=9",
      {},
      "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10",
    ],
    [
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      full,
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ],
    [
      "permessage-deflate",
      { ...full, contextTakeover: false, peerContextTakeover: false },
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ],
    ["x-other, permessage-deflate; server_max_window_bits=8, permessage-deflate", full, "permessage-deflate"],
    ["permessage-deflate; server_max_window_bits=8", full, undefined],
    ["permessage-deflate; server_max_window_bits", full, undefined],
    ["permessage-deflate; server_max_window_bits=7", full, undefined],
    ["permessage-deflate; server_max_window_bits=16", full, undefined],
    ["permessage-deflate; client_max_window_bits=abc", full, undefined],
    ["permessage-deflate; client_max_window_bits=08", full, undefined],
    ["permessage-deflate; client_no_context_takeover=1", full, undefined],
    ["permessage-deflate; unknown", full, undefined],
    ["x-webkit-deflate-frame", full, undefined],
  ];
  for (const [offer, options, expected] of agreements) {
    test(`answers the offer ${offer} with ${expected ?? "nothing"} for ${JSON.stringify(options)}`, () => {
      assert.equal(answer(offer, options), expected);
    });
  }

  test("is offered as the options say", () => {
    assert.equal(
      offerCompression(defaultCompression),
      "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12, " +
        "permessage-deflate; client_max_window_bits=12",
    );
    assert.equal(
      offerCompression({
        ...defaultCompression,
        ...full,
        contextTakeover: false,
        peerContextTakeover: false,
      }),
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
    );
  });

  const answers: readonly [answer: string, options: object, agreed: object | RegExp][] = [
    ["permessage-deflate", {}, { windowBits: 12, peerWindowBits: 15, contextTakeover: true }],
    ["permessage-deflate; client_max_window_bits=9", {}, { windowBits: 9 }],
    ["permessage-deflate; server_max_window_bits=10", {}, { peerWindowBits: 10 }],
    [
      "permessage-deflate; client_no_context_takeover",
      {},
      { contextTakeover: false, peerContextTakeover: true },
    ],
    [
      "permessage-deflate; server_no_context_takeover",
      {},
      { contextTakeover: true, peerContextTakeover: false },
    ],
    ["permessage-deflate", { peerContextTakeover: false }, /server_no_context_takeover/],
    ["permessage-deflate; client_max_window_bits", {}, /wrong/],
    ["permessage-deflate; client_max_window_bits=8", {}, /8 bits/],
    ["permessage-deflate; x=1", {}, /wrong/],
    ["permessage-deflate, permessage-deflate", {}, /more than one/],
    ["x-other", {}, /not offered/],
  ];
  for (const [field, options, expected] of answers) {
    test(`takes the answer ${field} for ${JSON.stringify(options)} as ${JSON.stringify(expected)}`, () => {
      const agreed = checkAnswer(parseExtensions(field) ?? [], resolveCompression(options));
      if (typeof agreed === "string") assert.ok(expected instanceof RegExp && expected.test(agreed), agreed);
      else assert.deepEqual(Object.assign({}, agreed, expected), agreed);
    });
  }

  test("refuses options that are out of range, by name", () => {
    for (const [name, value] of [
      ["threshold", -1],
      ["level", 0],
      ["level", 10],
      ["memoryLevel", 10],
      ["windowBits", 8],
      ["windowBits", 16],
      ["peerWindowBits", 9.5],
    ] as const) {
      assert.throws(() => resolveCompression({ [name]: value }), new RegExp(`compression\\.${name}`));
    }
  });
});
