import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Code } from "@sluice/protocol";
import {
  compileProtos,
  createCodec,
  methodFrom,
  noMetadata,
  reflectSchema,
  type Call,
  type Method,
  type Schema,
  type Status,
} from "../../src/index.ts";
import { ownRegistry } from "../../src/schema/well-known-files.ts";
import { createHealthService, ServingStatus } from "../../src/services/health-service.ts";
import { createReflectionService } from "../../src/services/reflection-service.ts";
import { ServiceBackend, type ServiceCall, type ServiceMethod } from "../../src/services/service-backend.ts";

const echoProto = fileURLToPath(new URL("../../../testkit/proto/echo.proto", import.meta.url));

/** A call whose messages are JSON, and everything that it was told. */
class Conversation {
  /** With "headers" before the first. */
  readonly told: string[] = [];
  readonly replies: unknown[] = [];
  readonly call: Call;
  readonly ended: Promise<Status>;
  readonly #method: Method;

  constructor(backend: ServiceBackend, method: Method, timeout?: number) {
    this.#method = method;
    let end: (status: Status) => void;
    this.ended = new Promise((resolve) => (end = resolve));
    const output = createCodec(method.output, { emitDefaults: true });
    this.call = backend.open(
      { method, metadata: noMetadata, ...(timeout === undefined ? {} : { timeout }) },
      {
        headers: () => this.told.push("headers"),
        message: (bytes) => {
          this.told.push("message");
          this.replies.push(JSON.parse(output.jsonFromBytes(bytes)));
        },
        drain: () => this.told.push("drain"),
        end: (status) => end(status),
      },
    );
  }

  ask(json: Record<string, string>): this {
    this.call.send(createCodec(this.#method.input).bytesFromJson(json));
    return this;
  }
}

function methodOf(service: string, name: string): Method {
  const desc = ownRegistry()
    .getService(service)
    ?.methods.find((method) => method.name === name);
  assert.ok(desc !== undefined);
  return methodFrom(desc);
}

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe("health", () => {
  const check = methodOf("grpc.health.v1.Health", "Check");
  const watch = methodOf("grpc.health.v1.Health", "Watch");
  const states = new Map<string, ServingStatus>([["", ServingStatus.SERVING]]);
  const listeners = new Set<() => void>();
  const backend = new ServiceBackend(
    createHealthService({
      status: (service) => states.get(service),
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    }),
  );
  const change = (service: string, status: ServingStatus): void => {
    states.set(service, status);
    for (const listener of listeners) listener();
  };

  test("Check tells the state, and NOT_FOUND for a service that is not known", async () => {
    const known = new Conversation(backend, check).ask({});
    known.call.halfClose();
    assert.equal((await known.ended).code, Code.OK);
    assert.deepEqual(known.replies, [{ status: "SERVING" }]);
    const unknown = new Conversation(backend, check).ask({ service: "a.B" });
    unknown.call.halfClose();
    assert.equal((await unknown.ended).code, Code.NOT_FOUND);
  });

  test("Watch tells the state now and after each change, until it is cancelled", async () => {
    const watching = new Conversation(backend, watch).ask({ service: "a.B" });
    await tick();
    change("a.B", ServingStatus.SERVING);
    change("", ServingStatus.SERVING);
    change("a.B", ServingStatus.NOT_SERVING);
    await tick();
    assert.deepEqual(watching.replies, [
      { status: "SERVICE_UNKNOWN" },
      { status: "SERVING" },
      { status: "NOT_SERVING" },
    ]);
    assert.equal(listeners.size, 1);
    watching.call.cancel();
    assert.equal((await watching.ended).code, Code.CANCELLED);
    assert.equal(listeners.size, 0);
  });

  test("a request that is none is INVALID_ARGUMENT", async () => {
    for (const method of [check, watch]) {
      const conversation = new Conversation(backend, method);
      conversation.call.send(Buffer.of(0xff));
      assert.equal((await conversation.ended).code, Code.INVALID_ARGUMENT);
    }
  });
});

describe("reflection", () => {
  let schema: Schema;
  let backend: ServiceBackend;
  before(async () => {
    schema = await compileProtos([echoProto], { importPaths: [dirname(echoProto)] });
    backend = new ServiceBackend(createReflectionService(() => schema));
  });

  test("tells a client the very schema that it was given", async () => {
    const reflected = await reflectSchema(backend);
    assert.equal(reflected.fingerprint, schema.fingerprint);
    assert.deepEqual([...reflected.methods.keys()], [...schema.methods.keys()]);
  });

  for (const version of ["v1", "v1alpha"]) {
    test(`answers every question of ${version}, or says that it cannot`, async () => {
      const method = methodOf(`grpc.reflection.${version}.ServerReflection`, "ServerReflectionInfo");
      const found = async (question: Record<string, unknown>): Promise<unknown> => {
        const conversation = new Conversation(backend, method);
        conversation.ask(question as Record<string, string>);
        conversation.call.halfClose();
        assert.equal((await conversation.ended).code, Code.OK);
        const [reply] = conversation.replies as [Record<string, Record<string, unknown>>];
        const { errorResponse, fileDescriptorResponse, ...rest } = reply;
        if (errorResponse !== undefined) return errorResponse["errorCode"];
        if (fileDescriptorResponse !== undefined) return "files";
        return rest["listServicesResponse"] ?? rest["allExtensionNumbersResponse"];
      };
      assert.deepEqual(await found({ listServices: "" }), {
        service: [{ name: "sluice.test.v1.Echo" }, { name: "sluice.test.v1.Library" }],
      });
      assert.equal(await found({ fileByFilename: "echo.proto" }), "files");
      assert.equal(await found({ fileByFilename: "none.proto" }), Code.NOT_FOUND);
      for (const symbol of ["sluice.test.v1.Echo", "sluice.test.v1.Echo.Say", "sluice.test.v1.Book.title"]) {
        assert.equal(await found({ fileContainingSymbol: symbol }), "files", symbol);
      }
      for (const symbol of ["", "sluice", "sluice.test.v1.Echo.None", "a.b"]) {
        assert.equal(await found({ fileContainingSymbol: symbol }), Code.NOT_FOUND, symbol);
      }
      const options = "google.protobuf.MethodOptions";
      assert.deepEqual(await found({ allExtensionNumbersOfType: options }), {
        baseTypeName: options,
        extensionNumber: [72295728],
      });
      assert.equal(await found({ allExtensionNumbersOfType: "a.B" }), Code.NOT_FOUND);
      const extension = { containingType: options, extensionNumber: 72295728 };
      assert.equal(await found({ fileContainingExtension: extension }), "files");
      assert.equal(
        await found({ fileContainingExtension: { ...extension, extensionNumber: 1 } }),
        Code.NOT_FOUND,
      );
      assert.equal(await found({}), Code.INVALID_ARGUMENT);
    });
  }

  test("says UNAVAILABLE while there is no schema", async () => {
    await assert.rejects(reflectSchema(new ServiceBackend(createReflectionService(() => undefined))));
  });
});

const silent: ServiceMethod = () => ({ message: () => undefined, halfClose: () => undefined });

describe("a backend inside the gateway", () => {
  const method = methodOf("grpc.health.v1.Health", "Watch");
  const backendOf = (service: ServiceMethod): ServiceBackend =>
    new ServiceBackend(new Map([[method.path, service]]));

  test("answers UNIMPLEMENTED for a method that it does not have", async () => {
    assert.equal(
      (await new Conversation(new ServiceBackend(new Map()), method).ended).code,
      Code.UNIMPLEMENTED,
    );
  });

  test("ends a call at its deadline", async () => {
    const status = await new Conversation(backendOf(silent), method, 1).ended;
    assert.equal(status.code, Code.DEADLINE_EXCEEDED);
  });

  test("holds replies back while the client has paused, up to a limit", async () => {
    const backend = backendOf((call) => ({
      message: () => call.send(Buffer.of(8, 1)),
      halfClose: () => call.end(),
    }));
    const paused = new Conversation(backend, method);
    paused.call.pause();
    paused.ask({}).ask({});
    paused.call.halfClose();
    await tick();
    assert.deepEqual(paused.replies, []);
    paused.call.resume();
    assert.equal((await paused.ended).code, Code.OK);
    assert.deepEqual(paused.told, ["headers", "message", "message"]);

    const flood = backendOf((call) => ({
      message: () => call.send(Buffer.alloc(1024 * 1024)),
      halfClose: () => undefined,
    }));
    const flooded = new Conversation(flood, method);
    flooded.call.pause();
    for (let count = 0; count < 5; count++) flooded.ask({});
    assert.equal((await flooded.ended).code, Code.RESOURCE_EXHAUSTED);
  });

  test("lets a service pause its client, until there is room again", async () => {
    let serviceCall: ServiceCall | undefined;
    const backend = backendOf((call) => {
      serviceCall = call;
      return { message: () => false, halfClose: () => call.end() };
    });
    const conversation = new Conversation(backend, method);
    assert.equal(conversation.call.send(new Uint8Array(0)), false);
    serviceCall?.drain();
    assert.deepEqual(conversation.told, ["drain"]);
    conversation.call.halfClose();
    assert.equal((await conversation.ended).code, Code.OK);
    serviceCall?.drain();
    assert.deepEqual(conversation.told, ["drain"]);
  });

  test("ends what is open when it closes, and takes nothing more", async () => {
    const backend = backendOf(silent);
    const open = new Conversation(backend, method);
    await backend.close();
    assert.equal((await open.ended).code, Code.UNAVAILABLE);
    assert.equal((await new Conversation(backend, method).ended).code, Code.UNAVAILABLE);
  });
});
