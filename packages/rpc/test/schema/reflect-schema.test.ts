import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { create, fromBinary, fromJson, toBinary, toJson, type MessageInitShape } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { startEchoServer, type EchoServerOptions } from "@sluice/testkit";
import { createHttp2Backend, type Http2Backend } from "../../src/backend/http2-backend.ts";
import { RpcError, type RpcErrorCode } from "../../src/error.ts";
import { compileProtos } from "../../src/schema/compile-protos.ts";
import { ownProtoFolder } from "../../src/schema/protoc.ts";
import { reflectSchema, type ReflectOptions } from "../../src/schema/reflect-schema.ts";

function backendAt(context: TestContext, address: string): Http2Backend {
  const backend = createHttp2Backend(address);
  context.after(() => backend.close(0));
  return backend;
}

async function startEcho(context: TestContext, options: EchoServerOptions) {
  const server = await startEchoServer(options);
  context.after(() => server.close());
  return { server, backend: backendAt(context, server.address) };
}

interface Question {
  readonly message_request: "list_services" | "file_containing_symbol" | "file_by_filename";
  readonly list_services?: string;
  readonly file_containing_symbol?: string;
  readonly file_by_filename?: string;
}

/** A server whose reflection answers as `answer` says: a response, its bytes, or nothing. */
async function startReflection(context: TestContext, answer: (question: Question) => object | undefined) {
  const definition = loadSync(join(ownProtoFolder, "grpc/reflection/v1/reflection.proto"), {
    keepCase: true,
    oneofs: true,
  })["grpc.reflection.v1.ServerReflection"] as ServiceDefinition;
  const info = definition["ServerReflectionInfo"];
  assert.ok(info);
  const responseSerialize = (value: object): Buffer =>
    value instanceof Uint8Array ? Buffer.from(value) : info.responseSerialize(value);
  const server = new grpc.Server();
  const asked: Question[] = [];
  server.addService(
    { ServerReflectionInfo: { ...info, responseSerialize } },
    {
      ServerReflectionInfo: (call: grpc.ServerDuplexStream<Question, object>) => {
        call.on("data", (question: Question) => {
          asked.push(question);
          const response = answer(question);
          if (response !== undefined) call.write(response);
        });
        call.on("end", () => call.end());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  context.after(() => server.forceShutdown());
  return { asked, backend: backendAt(context, `127.0.0.1:${port}`) };
}

type FileInit = MessageInitShape<typeof FileDescriptorProtoSchema>;

const listing = (...names: readonly string[]) => ({
  list_services_response: { service: names.map((name) => ({ name })) },
});
const files = (...inits: readonly FileInit[]) => ({
  file_descriptor_response: {
    file_descriptor_proto: inits.map((init) =>
      toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, init)),
    ),
  },
});
const notFound = { error_response: { error_code: 5, error_message: "no such thing" } };

const same = (bytes: Buffer): Buffer => bytes;

function list(question: Question, other: object): object {
  return question.message_request === "list_services" ? listing("a.S") : other;
}

const fileOfS: FileInit = {
  name: "s.proto",
  package: "a",
  messageType: [{ name: "M" }],
  service: [{ name: "S", method: [{ name: "Do", inputType: ".a.M", outputType: ".a.M" }] }],
};

function failure(code: RpcErrorCode, ...parts: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RpcError, String(error));
    assert.equal(error.code, code, error.message);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message}\nlacks ${part}`);
    return true;
  };
}

describe("reflection", () => {
  for (const reflection of ["v1", "v1alpha"] as const) {
    test(`${reflection} gives the schema that the .proto file gives`, async (t) => {
      const { server, backend } = await startEcho(t, { reflection });
      const [reflected, compiled] = await Promise.all([
        reflectSchema(backend),
        compileProtos([server.protoPath]),
      ]);
      assert.deepEqual(
        reflected.services.map(({ typeName }) => typeName),
        ["sluice.test.v1.Echo", "sluice.test.v1.Library"],
      );
      assert.deepEqual([...reflected.methods.keys()], [...compiled.methods.keys()]);
      for (const [path, { rules }] of compiled.methods)
        assert.deepEqual(reflected.methods.get(path)?.rules, rules);
      assert.equal(reflected.fingerprint, compiled.fingerprint);
      await server.calls.until(({ open }) => open === 0);
      assert.equal(server.calls.cancelled, 0);
    });
  }

  test("of @grpc/reflection gives a schema that reads and writes the same messages", async (t) => {
    const { server, backend } = await startEcho(t, { reflection: "grpc-reflection" });
    const [mended, compiled] = await Promise.all([reflectSchema(backend), compileProtos([server.protoPath])]);
    assert.deepEqual([...mended.methods.keys()], [...compiled.methods.keys()]);

    const ours = compiled.registry.getMessage("sluice.test.v1.Everything");
    const theirs = mended.registry.getMessage("sluice.test.v1.Everything");
    assert.ok(ours && theirs);
    const json = {
      int64Value: "-9007199254740993",
      bytesValue: "AAEC",
      color: "COLOR_GREEN",
      node: { name: "a", child: { name: "b" }, children: [{}] },
      points: [{ x: 1 }, { label: "p" }],
      labels: { a: "b" },
      pointsById: { "-3": { y: 4 } },
      coloursByName: undefined,
      colorsByName: { red: "COLOR_RED" },
      optionalString: "",
      choicePoint: { x: 0, y: 5 },
      timestamp: "2026-11-21T00:00:00Z",
      duration: "1.500s",
      fieldMask: "point.x,strings",
      struct: { a: [1, null, { b: true }] },
      int64Wrapper: "7",
    };
    const message = fromJson(ours, JSON.parse(JSON.stringify(json)), { registry: compiled.registry });
    const bytes = toBinary(ours, message);
    const read = fromBinary(theirs, bytes);
    assert.deepEqual(
      toJson(theirs, read, { registry: mended.registry }),
      toJson(ours, message, { registry: compiled.registry }),
    );
    assert.deepEqual(toBinary(theirs, read), bytes);
  });

  test("that a server does not have is unsupported", async (t) => {
    const { backend } = await startEcho(t, { reflection: "none" });
    await assert.rejects(
      reflectSchema(backend, { name: "orders:50051" }),
      failure("reflection_unsupported", "orders:50051: the server has no reflection service"),
    );
  });

  test("of a server that is not there is unavailable", async (t) => {
    const listener = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => listener.once("listening", resolve));
    const { port } = listener.address() as AddressInfo;
    await new Promise((resolve) => listener.close(resolve));
    await assert.rejects(
      reflectSchema(backendAt(t, `127.0.0.1:${port}`)),
      failure("reflection_unavailable", "UNAVAILABLE", "ECONNREFUSED"),
    );
  });

  test("of a server that never answers ends with its timeout", async (t) => {
    const { asked, backend } = await startReflection(t, () => undefined);
    await assert.rejects(
      reflectSchema(backend, { timeoutMs: 100 }),
      failure("reflection_unavailable", "DEADLINE_EXCEEDED"),
    );
    // Never again in the other version; on a slow machine the time may pass before the first question.
    assert.ok(asked.length <= 1);
  });

  test("ends when its signal aborts, also when it has aborted before", async (t) => {
    const abort = new AbortController();
    const { backend } = await startReflection(t, () => {
      abort.abort();
      return new Uint8Array();
    });
    for (const _ of [1, 2]) {
      await assert.rejects(
        reflectSchema(backend, { signal: abort.signal }),
        failure("reflection_unavailable", "CANCELLED"),
      );
    }
  });

  test("asks for the imports of files, and theirs, by name", async (t) => {
    const known: Record<string, FileInit> = {
      "t.proto": { name: "t.proto", package: "b", dependency: ["u.proto"], messageType: [{ name: "T" }] },
      "u.proto": {
        name: "u.proto",
        package: "c",
        dependency: ["google/rpc/status.proto"],
        messageType: [{ name: "U" }],
      },
    };
    const { asked, backend } = await startReflection(t, ({ message_request, file_by_filename = "" }) => {
      if (message_request === "list_services")
        return listing("a.S", "grpc.reflection.v1.ServerReflection", "a.S");
      if (message_request === "file_containing_symbol") return files({ ...fileOfS, dependency: ["t.proto"] });
      const found = known[file_by_filename];
      return found === undefined ? notFound : files(found);
    });
    const { registry, methods } = await reflectSchema(backend);
    assert.deepEqual([...methods.keys()], ["/a.S/Do"]);
    assert.ok(registry.getMessage("b.T") && registry.getMessage("c.U"));
    assert.deepEqual(
      asked.map(({ file_containing_symbol, file_by_filename }) => file_containing_symbol ?? file_by_filename),
      [undefined, "a.S", "t.proto", "u.proto"],
    );
  });

  test("does without an import that the server cannot give and no type needs", async (t) => {
    const { backend } = await startReflection(t, ({ message_request }) => {
      if (message_request === "list_services") return listing("a.S");
      if (message_request === "file_containing_symbol")
        return files({ ...fileOfS, dependency: ["validate.proto"] });
      return notFound;
    });
    assert.equal((await reflectSchema(backend)).methods.size, 1);
  });

  test("finds a type in a file that has another name than the import", async (t) => {
    const type = FieldDescriptorProto_Type.MESSAGE;
    const field = {
      name: "t",
      number: 1,
      label: FieldDescriptorProto_Label.OPTIONAL,
      type,
      typeName: ".b.T",
    };
    const { backend } = await startReflection(t, ({ message_request }) => {
      if (message_request === "list_services") return listing("a.S");
      if (message_request === "file_by_filename")
        return files({ name: "t.proto", package: "b", messageType: [{ name: "T" }] });
      return files({
        ...fileOfS,
        dependency: ["protos/t.proto"],
        messageType: [{ name: "M", field: [field] }],
      });
    });
    const { registry } = await reflectSchema(backend);
    assert.equal(registry.getMessage("a.M")?.fields[0]?.message?.typeName, "b.T");
  });

  test("serves the services that are listed, not all that the files declare", async (t) => {
    const service = [...(fileOfS.service ?? []), { name: "Hidden" }];
    const { backend } = await startReflection(t, ({ message_request }) =>
      message_request === "list_services" ? listing("a.S") : files({ ...fileOfS, service }),
    );
    const { services } = await reflectSchema(backend);
    assert.deepEqual(
      services.map(({ name }) => name),
      ["S"],
    );
  });

  test("tells of a listed service that cannot be described, and goes on without it", async (t) => {
    const { backend } = await startReflection(t, ({ message_request, file_containing_symbol }) => {
      if (message_request === "list_services") return listing("a.Lost", "a.S");
      return file_containing_symbol === "a.S" ? files(fileOfS) : notFound;
    });
    const problems: RpcError[] = [];
    const schema = await reflectSchema(backend, { onProblem: (problem) => problems.push(problem) });
    assert.deepEqual([...schema.methods.keys()], ["/a.S/Do"]);
    assert.equal(problems.length, 1);
    assert.ok(failure("reflection_invalid", "a.Lost")(problems[0]));
  });

  test("of a server without services gives an empty schema", async (t) => {
    const { backend } = await startReflection(t, () => listing("grpc.reflection.v1.ServerReflection"));
    assert.equal((await reflectSchema(backend)).methods.size, 0);
  });

  const invalid: [string, (question: Question) => object, readonly string[], ReflectOptions?][] = [
    ["bytes that are no answer", () => new Uint8Array([0xff, 0xff]), ["not a ServerReflectionResponse"]],
    ["an answer without content", () => ({}), ["another question", "nothing"]],
    ["an answer to another question", () => files(fileOfS), ["another question", "fileDescriptorResponse"]],
    ["an error for the list of services", () => notFound, ["cannot list", "NOT_FOUND: no such thing"]],
    ["no service that can be described", (question) => list(question, notFound), ["a.S"]],
    [
      "bytes that are no file",
      (question) =>
        list(question, { file_descriptor_response: { file_descriptor_proto: [Buffer.from([0xff])] } }),
      ["what it answers for a.S is not a file descriptor"],
    ],
    [
      "a type that no file declares",
      (question) => list(question, files({ ...fileOfS, messageType: [] })),
      ["reflection of the backend", "the method a.S.Do", ".a.M"],
    ],
    [
      "a name that is no identifier",
      (question) =>
        list(
          question,
          files({ ...fileOfS, enumType: [{ name: "a`${b}", value: [{ name: "X", number: 0 }] }] }),
        ),
      ["s.proto", "a`${b}"],
    ],
    [
      "more than is accepted",
      (question) => list(question, files(fileOfS)),
      ["more than the 10 bytes"],
      { maxBytes: 10 },
    ],
  ];
  for (const [title, answer, parts, options] of invalid) {
    test(`refuses ${title}`, async (t) => {
      const { backend } = await startReflection(t, answer);
      await assert.rejects(reflectSchema(backend, options), failure("reflection_invalid", ...parts));
    });
  }

  test("refuses a stream that ends without an answer, or fails", async (t) => {
    const server = new grpc.Server();
    let status: grpc.status = grpc.status.OK;
    const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const definition = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
    server.addService(
      { ServerReflectionInfo: definition },
      {
        ServerReflectionInfo: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
          if (status === grpc.status.OK) call.end();
          else call.emit("error", { code: status, details: "not for you" });
        },
      },
    );
    const port = await new Promise<number>((resolve) =>
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_error, bound) =>
        resolve(bound),
      ),
    );
    t.after(() => server.forceShutdown());
    const backend = backendAt(t, `127.0.0.1:${port}`);
    await assert.rejects(reflectSchema(backend), failure("reflection_invalid", "without an answer"));
    status = grpc.status.PERMISSION_DENIED;
    await assert.rejects(
      reflectSchema(backend),
      failure("reflection_unavailable", "PERMISSION_DENIED: not for you"),
    );
  });
});
