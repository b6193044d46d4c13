import assert from "node:assert/strict";
import { test } from "node:test";
import * as connect from "../src/connect/index.ts";
import * as client from "../src/index.ts";

test("the package exports these names and no others", () => {
  assert.deepEqual(Object.keys(client).toSorted(), [
    "CallError",
    "Code",
    "Connection",
    "createJsonClient",
    "defaultBackoff",
    "defaultConnectionOptions",
  ]);
  assert.deepEqual(Object.keys(connect).toSorted(), ["createTransport"]);
});
