import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  compileProtos,
  createSchema,
  createServiceDirectory,
  mergeSchemas,
  RpcError,
  ServiceBackend,
  type Schema,
} from "@sluice/rpc";
import { ownRegistry } from "../../src/schema/well-known-files.ts";

const echoProto = fileURLToPath(new URL("../../../testkit/proto/echo.proto", import.meta.url));
const ownProtos = fileURLToPath(new URL("../../proto", import.meta.url));

let all: Schema;

/** The schema of a server that serves only some services. */
function serving(...names: readonly string[]): Schema {
  const services = new Set(names.map((name) => `sluice.test.v1.${name}`));
  return createSchema(...all.sources.map(({ name, files }) => ({ name, files, services })));
}

function part(name: string, schema: Schema) {
  return { name, schema, backend: new ServiceBackend(new Map()) };
}

describe("a directory of several backends", () => {
  before(async () => {
    all = await compileProtos([echoProto], { importPaths: [dirname(echoProto), ownProtos] });
  });

  test("finds each method with the backend of its service", () => {
    const echo = part("echo", serving("Echo"));
    const library = part("library", serving("Library"));
    const directory = createServiceDirectory([echo, library]);
    assert.equal(directory.find("/sluice.test.v1.Echo/Say")?.backend, echo.backend);
    assert.equal(directory.find("/sluice.test.v1.Library/GetBook")?.backend, library.backend);
    assert.equal(directory.find("/sluice.test.v1.Library/GetBook")?.method.name, "GetBook");
  });

  for (const path of [
    "/sluice.test.v1.Echo/Nothing",
    "/sluice.test.v1.Nothing/Say",
    "/",
    "",
    "Say",
    "/a/b/c",
  ]) {
    test(`finds nothing at ${JSON.stringify(path)}`, () => {
      assert.equal(createServiceDirectory([part("echo", serving("Echo"))]).find(path), undefined);
    });
  }

  test("refuses one service in two backends, and says what to do", () => {
    const parts = [part("one", serving("Echo", "Library")), part("two", serving("Library"))];
    assert.throws(
      () => createServiceDirectory(parts),
      (error) =>
        error instanceof RpcError &&
        error.code === "service_conflict" &&
        error.message ===
          "the service sluice.test.v1.Library is in the schema of two backends, one and two; leave it out of one, or make them one backend",
    );
  });

  test("takes the services that each server has of its own from the first", () => {
    const own = ownRegistry().getService("grpc.health.v1.Health");
    assert.ok(own);
    const health = createSchema({ name: "health", files: [own.file.proto] });
    const first = part("first", mergeSchemas(serving("Echo"), health));
    const second = part("second", mergeSchemas(serving("Library"), health));
    const directory = createServiceDirectory([first, second]);
    assert.equal(directory.find("/grpc.health.v1.Health/Check")?.backend, first.backend);
  });

  test("may be empty", () => {
    assert.equal(createServiceDirectory([]).find("/sluice.test.v1.Echo/Say"), undefined);
  });
});
