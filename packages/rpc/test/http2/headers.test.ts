import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Http2Violation } from "../../src/http2/frame.ts";
import { HeaderDecoder } from "../../src/http2/header-decoder.ts";
import { encodeHeaders, noTable } from "../../src/http2/header-encoder.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

const request = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"];
const cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

/** Blocks of one connection in turn, and what they say. */
const conversations: readonly (readonly [
  name: string,
  blocks: readonly (readonly [string, readonly string[]])[],
])[] = [
  [
    "requests in Huffman's code (RFC 7541, C.4)",
    [
      ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", request],
      ["8286 84be 5886 a8eb 1064 9cbf", [...request, "cache-control", "no-cache"]],
      [
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        [
          ":method",
          "GET",
          ":scheme",
          "https",
          ":path",
          "/index.html",
          ":authority",
          "www.example.com",
          "custom-key",
          "custom-value",
        ],
      ],
    ],
  ],
  [
    "responses with a table of 256 bytes, which drops the oldest (RFC 7541, C.6)",
    [
      [
        "3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        [
          ":status",
          "302",
          "cache-control",
          "private",
          "date",
          "Mon, 21 Oct 2013 20:13:21 GMT",
          "location",
          "https://www.example.com",
        ],
      ],
      [
        "4883 640e ffc1 c0bf",
        [
          ":status",
          "307",
          "cache-control",
          "private",
          "date",
          "Mon, 21 Oct 2013 20:13:21 GMT",
          "location",
          "https://www.example.com",
        ],
      ],
      [
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
        [
          ":status",
          "200",
          "cache-control",
          "private",
          "date",
          "Mon, 21 Oct 2013 20:13:22 GMT",
          "location",
          "https://www.example.com",
          "content-encoding",
          "gzip",
          "set-cookie",
          cookie,
        ],
      ],
    ],
  ],
  [
    "literals, plain and never indexed (RFC 7541, C.2)",
    [
      ["040c 2f73 616d 706c 652f 7061 7468", [":path", "/sample/path"]],
      ["1008 7061 7373 776f 7264 0673 6563 7265 74", ["password", "secret"]],
    ],
  ],
  ["an empty block", [["", []]]],
  ["a table that is emptied and used again", [["20 3fe11f 4001 6101 62 be", ["a", "b", "a", "b"]]]],
];

describe("the decoder of header blocks", () => {
  for (const [name, blocks] of conversations) {
    test(`reads ${name}`, () => {
      const decoder = new HeaderDecoder(64 * 1024);
      for (const [block, fields] of blocks) assert.deepEqual(decoder.decode(hex(block)), fields);
    });
  }

  const broken: readonly (readonly [name: string, block: string])[] = [
    ["an index of nothing", "80"],
    ["an index beyond the tables", "be"],
    ["a name beyond the tables", "7f00 00"],
    ["a literal that is cut off in its name", "0005 6162"],
    ["a literal without a value", "0001 61"],
    ["a value that is cut off", "0001 6105 62"],
    ["a number without an end", "ff80 8080"],
    ["a number that is too large", "ffff ffff ff7f"],
    ["a table larger than was allowed", "3fe2 1f"],
    ["Huffman's code with the end of string in it", "0001 6184 ffff ffff"],
    ["Huffman's code with a byte of padding", "0001 6182 1fff"],
    ["Huffman's code with zeros as padding", "0001 6181 18"],
  ];
  for (const [name, block] of broken) {
    test(`refuses ${name}`, () => {
      assert.throws(() => new HeaderDecoder(64 * 1024).decode(hex(block)), Http2Violation);
    });
  }

  test("passes over a list that is too large, and reads the next block", () => {
    const decoder = new HeaderDecoder(100);
    assert.equal(decoder.decode(hex("4001 6101 62 be be be")), undefined);
    assert.deepEqual(decoder.decode(hex("be")), ["a", "b"]);
  });
});

describe("the encoder of headers", () => {
  test("writes literals, and those that are secret as never to be indexed", () => {
    const block = encodeHeaders({ ":method": "POST", authorization: "me", x: ["1", "2"] });
    assert.equal(
      Buffer.from(block, "latin1").toString("hex"),
      [
        "00073a6d6574686f6404504f5354",
        "100d617574686f72697a6174696f6e026d65",
        "00017801",
        "31",
        "00017801",
        "32",
      ].join(""),
    );
  });

  test("writes what the decoder reads, of every length", () => {
    for (const length of [0, 1, 126, 127, 128, 254, 255, 300, 20_000]) {
      const headers = { "x-long": "x".repeat(length) };
      const block = Buffer.from(noTable + encodeHeaders(headers), "latin1");
      assert.deepEqual(new HeaderDecoder(64 * 1024).decode(block), ["x-long", "x".repeat(length)]);
    }
  });
});
