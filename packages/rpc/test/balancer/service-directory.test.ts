import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Code } from "@sluice/protocol";
import {
  compileProtos,
  createSchema,
  createDirectory,
  createServiceDirectory,
  createStatus,
  ownersOfServices,
  ServiceBackend,
  type Directory,
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
  const backend = new ServiceBackend(new Map());
  return { name, schema, backend, directory: createDirectory(schema, backend) };
}

type Part = ReturnType<typeof part>;

/** What a directory of these parts finds: the name of the part and the method, or a status. */
function find(parts: readonly Part[], path: string, directory = directoryOf(parts)): string {
  const found = directory.find(path);
  if ("code" in found) return `${found.code} ${found.message}`;
  return `${parts.find(({ backend }) => backend === found.backend)?.name} ${found.method.name}`;
}

function directoryOf(parts: readonly Part[]): Directory {
  return createServiceDirectory(ownersOfServices(parts).owners);
}

describe("a directory of several backends", () => {
  before(async () => {
    all = await compileProtos([echoProto], { importPaths: [dirname(echoProto), ownProtos] });
  });

  test("finds each method with the backend of its service", () => {
    const parts = [part("echo", serving("Echo")), part("library", serving("Library"))];
    assert.equal(find(parts, "/sluice.test.v1.Echo/Say"), "echo Say");
    assert.equal(find(parts, "/sluice.test.v1.Library/GetBook"), "library GetBook");
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
      assert.equal(find([part("echo", serving("Echo"))], path), `12 there is no method ${path}`);
      assert.equal(find([], path), `12 there is no method ${path}`);
    });
  }

  test("says why a service is not known, where one of the backends may have it", () => {
    const parts = [part("echo", serving("Echo"))];
    const missing = createStatus(Code.UNAVAILABLE, "nobody is there");
    const directory = createServiceDirectory(ownersOfServices(parts).owners, missing);
    assert.equal(find(parts, "/sluice.test.v1.Echo/Say", directory), "echo Say");
    assert.equal(
      find(parts, "/sluice.test.v1.Echo/Nothing", directory),
      "12 there is no method /sluice.test.v1.Echo/Nothing",
    );
    assert.equal(find(parts, "/sluice.test.v1.Library/GetBook", directory), "14 nobody is there");
  });

  test("leaves a service that two backends have with the first, and says what to do", () => {
    const parts = [part("one", serving("Echo", "Library")), part("two", serving("Library"))];
    assert.equal(find(parts, "/sluice.test.v1.Library/GetBook"), "one GetBook");
    assert.deepEqual(
      ownersOfServices(parts).conflicts.map(({ code, message }) => [code, message]),
      [
        [
          "service_conflict",
          "the service sluice.test.v1.Library is in the schema of two backends, one and two; leave it out of one, or make them one backend",
        ],
      ],
    );
  });

  test("takes the services that each server has of its own from the first", () => {
    const own = ownRegistry().getService("grpc.health.v1.Health");
    assert.ok(own);
    const health = { name: "health", files: [own.file.proto] };
    const first = part("first", createSchema(...serving("Echo").sources, health));
    const second = part("second", createSchema(...serving("Library").sources, health));
    assert.equal(find([first, second], "/grpc.health.v1.Health/Check"), "first Check");
    assert.deepEqual(ownersOfServices([first, second]).conflicts, []);
  });
});
