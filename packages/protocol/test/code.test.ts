import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, codeFromHttpStatus, httpStatusFromCode, isCode, nameOfCode } from "../src/index.ts";

test("every code has its HTTP status, as google/rpc/code.proto lists them", () => {
  const expected: Record<keyof typeof Code, number> = {
    OK: 200,
    CANCELLED: 499,
    UNKNOWN: 500,
    INVALID_ARGUMENT: 400,
    DEADLINE_EXCEEDED: 504,
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    PERMISSION_DENIED: 403,
    RESOURCE_EXHAUSTED: 429,
    FAILED_PRECONDITION: 400,
    ABORTED: 409,
    OUT_OF_RANGE: 400,
    UNIMPLEMENTED: 501,
    INTERNAL: 500,
    UNAVAILABLE: 503,
    DATA_LOSS: 500,
    UNAUTHENTICATED: 401,
  };
  for (const [name, status] of Object.entries(expected)) {
    const code = Code[name as keyof typeof Code];
    assert.equal(httpStatusFromCode(code), status, name);
    assert.equal(nameOfCode(code), name);
    assert.ok(isCode(code));
  }
});

test("numbers that gRPC does not define are told apart", () => {
  for (const value of [-1, 17, 1.5, Number.NaN]) assert.equal(isCode(value), false);
  assert.equal(nameOfCode(99), "CODE_99");
  assert.equal(httpStatusFromCode(99), 500);
});

test("an HTTP status without grpc-status has the code of http-grpc-status-mapping", () => {
  const expected: Record<number, Code> = {
    400: Code.INTERNAL,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    431: Code.UNKNOWN,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
    200: Code.UNKNOWN,
    418: Code.UNKNOWN,
    500: Code.UNKNOWN,
  };
  for (const [status, code] of Object.entries(expected))
    assert.equal(codeFromHttpStatus(Number(status)), code);
});
