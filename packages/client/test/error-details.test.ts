import assert from "node:assert/strict";
import { test } from "node:test";
import { detailsFromStatus } from "../src/error-details.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
const shown = (text: string): unknown =>
  detailsFromStatus(hex(text)).map(({ type, value }) => [type, Buffer.from(value).toString("hex")]);

// Any{type_url: "x/a.B", value: 01 02}
const any = "0a05 782f612e42 1202 0102";

test("details are read from a serialized google.rpc.Status", () => {
  const table: readonly (readonly [name: string, bytes: string, details: unknown])[] = [
    ["nothing", "", []],
    ["a code and a message", "0805 1202 6869", []],
    ["one detail", `0805 1202 6869 1a0b ${any}`, [["a.B", "0102"]]],
    [
      "two details, the second without a value",
      `1a0b ${any} 1a03 0a01 63`,
      [
        ["a.B", "0102"],
        ["c", ""],
      ],
    ],
    ["unknown fields of all kinds", `2105060708090a0b0c 25 01020304 2801 1a0b ${any}`, [["a.B", "0102"]]],
    ["a detail of no bytes", "1a00", [["", ""]]],
    ["a detail that is cut off", `1a0b ${any} 1a0b 0a05`, [["a.B", "0102"]]],
    ["a group, which is no field of it", `1a0b ${any} 2b 1a0b ${any}`, [["a.B", "0102"]]],
    ["a number that does not end", "ffffffffffffffffffffffff", []],
    ["a length beyond all memory", "1affffffffffffffff7f", []],
  ];
  for (const [name, bytes, details] of table) assert.deepEqual(shown(bytes), details, name);
});
