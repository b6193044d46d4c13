import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { errorFromStatus } from "../../src/connect/error-json.ts";
import { endStreamJson } from "../../src/connect/stream-response.ts";

/** A google.rpc.Status with details. */
function statusBytes(...details: readonly [typeUrl: string, value: string][]): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(5);
  writer.tag(2, WireType.LengthDelimited).string("told twice");
  for (const [typeUrl, hex] of details) {
    const any = create(AnySchema, { typeUrl, value: Buffer.from(hex, "hex") });
    writer.tag(3, WireType.LengthDelimited).bytes(toBinary(AnySchema, any));
  }
  return writer.finish();
}

describe("the error of a status", () => {
  const codes: readonly [code: number, name: string][] = [
    [1, "canceled"],
    [2, "unknown"],
    [3, "invalid_argument"],
    [4, "deadline_exceeded"],
    [8, "resource_exhausted"],
    [16, "unauthenticated"],
    [17, "unknown"],
    [99, "unknown"],
  ];
  for (const [code, name] of codes) {
    test(`of code ${code} is ${name}`, () => {
      assert.deepEqual(errorFromStatus({ code, message: "why" }), { code: name, message: "why" });
    });
  }

  test("without a message has none", () => {
    assert.deepEqual(errorFromStatus({ code: 5, message: "" }), { code: "not_found" });
  });

  test("has its details by type and bytes, without padding", () => {
    const details = statusBytes(["type.googleapis.com/a.B", "0a01"], ["x.Y", ""], ["http://h/p/q.R", "00"]);
    assert.deepEqual(errorFromStatus({ code: 5, message: "m", details }).details, [
      { type: "a.B", value: "CgE" },
      { type: "x.Y", value: "" },
      { type: "q.R", value: "AA" },
    ]);
  });

  test("keeps what can be read of broken details", () => {
    const details = Buffer.concat([statusBytes(["a.B", "00"]), Buffer.from([0x1a, 0xff])]);
    assert.deepEqual(errorFromStatus({ code: 5, message: "m", details }).details, [
      { type: "a.B", value: "AA" },
    ]);
  });
});

describe("the end of a stream", () => {
  test("that went well is empty", () => {
    assert.equal(endStreamJson({ code: 0, message: "" }, {}), "{}");
  });

  test("has the error and the trailers", () => {
    assert.deepEqual(JSON.parse(endStreamJson({ code: 5, message: "m" }, { a: "1", b: ["2", "3"] })), {
      error: { code: "not_found", message: "m" },
      metadata: { a: ["1"], b: ["2", "3"] },
    });
  });
});
