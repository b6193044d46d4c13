import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  isGrpcContentType,
  nameOfErrorCode,
  statusFromHttp,
  statusFromReset,
  statusFromTrailers,
} from "../../src/backend/response-status.ts";

describe("the status in trailers", () => {
  test("is absent without grpc-status", () => {
    assert.equal(statusFromTrailers({ "grpc-message": "lost" }), undefined);
  });

  test("has code and message", () => {
    assert.deepEqual(statusFromTrailers({ "grpc-status": "5", "grpc-message": "no%20such" }), {
      code: 5,
      message: "no such",
    });
  });

  test("has the details, padded or not", () => {
    for (const text of ["CAUSAm5v", "CAUSBG5v", "CAUSAm5vIQ==", "CAUSAm5vIQ"]) {
      assert.deepEqual(
        statusFromTrailers({ "grpc-status": "5", "grpc-status-details-bin": text })?.details,
        Buffer.from(text, "base64"),
      );
    }
  });

  test("keeps a code that gRPC does not define", () => {
    assert.equal(statusFromTrailers({ "grpc-status": "99" })?.code, 99);
  });

  for (const text of ["", "OK", "-1", "1.5", "99999999999"]) {
    test(`"${text}" is UNKNOWN`, () => {
      const status = statusFromTrailers({ "grpc-status": text, "grpc-message": "why" });
      assert.equal(status?.code, 2);
      assert.match(status.message, /is no number: why$/);
    });
  }
});

describe("the status of a reset stream", () => {
  const codes = [13, 13, 13, 13, 13, 13, 13, 14, 1, 13, 13, 8, 7, 13];
  for (const [errorCode, code] of codes.entries()) {
    test(`${nameOfErrorCode(errorCode)} is ${code}`, () => {
      const status = statusFromReset(errorCode);
      assert.equal(status.code, code);
      if (errorCode > 0) assert.ok(status.message.includes(nameOfErrorCode(errorCode)), status.message);
    });
  }

  test("of an unknown error code is INTERNAL with its number", () => {
    assert.deepEqual(statusFromReset(77), {
      code: 13,
      message: "the stream was reset with the error code 77",
    });
  });
});

describe("a response that is not gRPC", () => {
  test("shows its HTTP status, type and text", () => {
    assert.deepEqual(statusFromHttp(502, "text/html", "<h1>\n  Bad   Gateway</h1>\n"), {
      code: 14,
      message:
        "the backend answered HTTP 502 with the content-type text/html instead of application/grpc: <h1> Bad Gateway</h1>",
    });
  });

  test("may have neither type nor text", () => {
    assert.deepEqual(statusFromHttp(404, undefined, ""), {
      code: 12,
      message: "the backend answered HTTP 404 with no content-type instead of application/grpc",
    });
  });

  const types: readonly [type: string | undefined, isGrpc: boolean][] = [
    ["application/grpc", true],
    ["application/grpc+proto", true],
    ["application/grpc+json", true],
    ["application/grpc; charset=utf-8", true],
    ["Application/GRPC", true],
    ["application/grpc-web", false],
    ["application/grpcx", false],
    ["text/html", false],
    [undefined, false],
  ];
  for (const [type, isGrpc] of types) {
    test(`${type} is ${isGrpc ? "" : "not "}gRPC`, () => assert.equal(isGrpcContentType(type), isGrpc));
  }
});
