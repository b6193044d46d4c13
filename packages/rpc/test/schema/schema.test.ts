import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clearField, clone, create, type MessageInitShape } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  MethodOptionsSchema,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { RpcError } from "../../src/error.ts";
import { createSchema } from "../../src/schema/schema.ts";
import { compileTexts, proto3 } from "./protos.ts";

const annotations = "google/api/annotations.proto";

function source(name: string, files: readonly FileDescriptorProto[]) {
  return { name, files };
}

function file(init: MessageInitShape<typeof FileDescriptorProtoSchema>): FileDescriptorProto {
  return create(FileDescriptorProtoSchema, { syntax: "proto3", ...init });
}

function clearJsonName({ messageType }: FileDescriptorProto): void {
  const field = messageType[0]?.field[0];
  assert.ok(field);
  clearField(field, FieldDescriptorProtoSchema.field.jsonName);
}

function invalid(...parts: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RpcError);
    assert.equal(error.code, "descriptor_invalid");
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message}\nlacks ${part}`);
    return true;
  };
}

describe("a schema", () => {
  test("has the services and methods of its files, in order of declaration, each with its kind", async (t) => {
    const files = await compileTexts(t, {
      "a.proto": proto3(
        "shop.v1",
        `message M {}
         service Zoo { rpc Uu(M) returns (M); rpc Us(M) returns (stream M); }
         service Ant { rpc Su(stream M) returns (M); rpc Ss(stream M) returns (stream M); }`,
      ),
    });
    const schema = createSchema(source("a", files));
    assert.deepEqual(
      schema.services.map(({ typeName }) => typeName),
      ["shop.v1.Zoo", "shop.v1.Ant"],
    );
    assert.deepEqual(
      [...schema.methods].map(([path, { kind }]) => [path, kind]),
      [
        ["/shop.v1.Zoo/Uu", "unary"],
        ["/shop.v1.Zoo/Us", "server_streaming"],
        ["/shop.v1.Ant/Su", "client_streaming"],
        ["/shop.v1.Ant/Ss", "bidi_streaming"],
      ],
    );
    const method = schema.methods.get("/shop.v1.Zoo/Uu");
    assert.equal(method?.service, "shop.v1.Zoo");
    assert.equal(method.name, "Uu");
    assert.equal(method.input, schema.registry.getMessage("shop.v1.M"));
    assert.deepEqual(method.rules, []);
  });

  test("has the methods of a file without a package", async (t) => {
    const text = `syntax = "proto3"; message M {} service S { rpc Do(M) returns (M); }`;
    const schema = createSchema(source("a", await compileTexts(t, { "a.proto": text })));
    assert.deepEqual([...schema.methods.keys()], ["/S/Do"]);
  });

  test("has HTTP rules with their additional bindings flattened, custom kinds and response bodies", async (t) => {
    const text = proto3(
      "a",
      `message M { string id = 1; M sub = 2; }
       service S { rpc Do(M) returns (M) { option (google.api.http) = {
         get: "/v1/{id}"
         additional_bindings { put: "/v1/{id}" body: "sub" response_body: "sub" }
         additional_bindings { post: "/v1" body: "*" }
         additional_bindings { delete: "/v1/{id}" }
         additional_bindings { patch: "/v1/{id}" body: "sub" }
         additional_bindings { custom { kind: "head" path: "/v1/{id}" } }
         additional_bindings { custom { kind: "*" path: "/v2" } }
         additional_bindings { body: "*" }
       }; } }`,
      [annotations],
    );
    const { methods } = createSchema(source("a", await compileTexts(t, { "a.proto": text })));
    assert.deepEqual(
      methods.get("/a.S/Do")?.rules.map((rule) => Object.values(rule)),
      [
        ["GET", "/v1/{id}", "", ""],
        ["PUT", "/v1/{id}", "sub", "sub"],
        ["POST", "/v1", "*", ""],
        ["DELETE", "/v1/{id}", "", ""],
        ["PATCH", "/v1/{id}", "sub", ""],
        ["HEAD", "/v1/{id}", "", ""],
        ["*", "/v2", "", ""],
        ["", "", "*", ""],
      ],
    );
  });

  test("reads HTTP rules though the set does not contain their definition", () => {
    const rule = new BinaryWriter().tag(2, WireType.LengthDelimited).string("/v1/x").finish();
    const options = create(MethodOptionsSchema);
    options.$unknown = [
      { no: 72295728, wireType: WireType.LengthDelimited, data: new BinaryWriter().bytes(rule).finish() },
    ];
    const method = { name: "Do", inputType: ".a.M", outputType: ".a.M", options };
    const files = [
      file({
        name: "a.proto",
        package: "a",
        messageType: [{ name: "M" }],
        service: [{ name: "S", method: [method] }],
      }),
    ];
    assert.deepEqual(createSchema(source("a", files)).methods.get("/a.S/Do")?.rules, [
      { method: "GET", template: "/v1/x", body: "", responseBody: "" },
    ]);
  });

  test("refuses an HTTP rule that is not a rule", () => {
    const options = create(MethodOptionsSchema);
    options.$unknown = [{ no: 72295728, wireType: WireType.LengthDelimited, data: new Uint8Array([5, 18]) }];
    const method = { name: "Do", inputType: ".a.M", outputType: ".a.M", options };
    const files = [
      file({
        name: "a.proto",
        package: "a",
        messageType: [{ name: "M" }],
        service: [{ name: "S", method: [method] }],
      }),
    ];
    assert.throws(() => createSchema(source("x", files)), invalid("a.proto", "google.api.http", "a.S.Do"));
  });

  test("takes files in any order", async (t) => {
    const files = await compileTexts(t, {
      "a.proto": proto3("a", `message A { b.B b = 1; c.C c = 2; }`, ["b.proto", "c.proto"]),
      "b.proto": proto3("b", `message B { c.C c = 1; }`, ["c.proto"]),
      "c.proto": proto3("c", `message C {}`),
    });
    for (const order of [files, files.toReversed()]) {
      const { registry } = createSchema(source("x", order));
      assert.equal(registry.getMessage("a.A")?.field["b"]?.message?.typeName, "b.B");
    }
  });

  test("leaves its input as it is", async (t) => {
    const files = await compileTexts(t, { "a.proto": proto3("a", `message A { string x_y = 1; }`) });
    for (const each of files) clearJsonName(each);
    const before = files.map((each) => clone(FileDescriptorProtoSchema, each));
    createSchema(source("x", files));
    assert.deepEqual(files, before);
  });

  test("fills in the well-known files that are imported, and knows the others too", async (t) => {
    const text = proto3(
      "a",
      `message A { google.protobuf.Timestamp t = 1; google.rpc.Status s = 2; google.protobuf.Api p = 3; }`,
      ["google/protobuf/timestamp.proto", "google/rpc/status.proto", "google/protobuf/api.proto"],
    );
    const all = await compileTexts(t, { "a.proto": text });
    const { registry } = createSchema(
      source(
        "x",
        all.filter(({ name }) => name === "a.proto"),
      ),
    );
    assert.equal(registry.getMessage("a.A")?.fields.length, 3);
    for (const name of ["google.rpc.BadRequest", "google.api.HttpBody", "google.protobuf.Struct"]) {
      assert.ok(registry.getMessage(name), name);
    }
  });

  test("gives way where the files declare a well-known type elsewhere", async (t) => {
    const text = proto3("google.rpc", `message Status { int32 code = 1; string extra = 4; }`);
    const { registry } = createSchema(source("x", await compileTexts(t, { "vendor/status.proto": text })));
    assert.equal(registry.getMessage("google.rpc.Status")?.file.proto.name, "vendor/status.proto");
    assert.ok(registry.getMessage("google.rpc.BadRequest"));
  });

  test("never takes a foreign google.protobuf.Timestamp", () => {
    const name = "google/protobuf/timestamp.proto";
    const foreign = file({ name, package: "google.protobuf", messageType: [{ name: "Timestamp" }] });
    const { registry } = createSchema(source("x", [foreign]));
    assert.equal(registry.getMessage("google.protobuf.Timestamp")?.fields.length, 2);
  });

  test("serves only the services that its source names", async (t) => {
    const text = proto3(
      "a",
      `message M {} service S { rpc Do(M) returns (M); } service T { rpc Do(M) returns (M); }`,
    );
    const files = await compileTexts(t, { "a.proto": text });
    const schema = createSchema({ name: "x", files, services: new Set(["a.T"]) });
    assert.deepEqual([...schema.methods.keys()], ["/a.T/Do"]);
  });

  test("has a fingerprint that follows the descriptors, not their order or comments", async (t) => {
    const texts = { "a.proto": proto3("a", `message A {}`), "b.proto": proto3("b", `message B {}`) };
    const files = await compileTexts(t, texts);
    const { fingerprint } = createSchema(source("x", files));
    assert.match(fingerprint, /^[0-9a-f]{64}$/);
    for (const each of files) delete each.sourceCodeInfo;
    assert.equal(createSchema(source("y", files.toReversed())).fingerprint, fingerprint);
    const other = await compileTexts(t, { ...texts, "b.proto": proto3("b", `message B { int32 x = 1; }`) });
    assert.notEqual(createSchema(source("x", other)).fingerprint, fingerprint);
  });

  test("has another fingerprint where another of its services is served", async (t) => {
    const body = `message M {} service S { rpc Do(M) returns (M); } service T { rpc Do(M) returns (M); }`;
    const files = await compileTexts(t, { "a.proto": proto3("a", body) });
    const fingerprintOf = (...services: readonly string[]): string =>
      createSchema({ name: "x", files, services: new Set(services) }).fingerprint;
    assert.notEqual(fingerprintOf("a.S"), fingerprintOf("a.S", "a.T"));
    assert.equal(fingerprintOf("a.T", "a.S"), createSchema(source("y", files)).fingerprint);
  });
});

describe("schemas of several sources", () => {
  test("are joined, also where one has what another imports", async (t) => {
    const files = await compileTexts(t, {
      "a.proto": proto3("a", `message M { b.N n = 1; } service S { rpc Do(M) returns (M); }`, ["b.proto"]),
      "b.proto": proto3("b", `message N {} service T { rpc Do(N) returns (N); }`),
    });
    const [b, a] = files;
    assert.ok(a && b);
    const joined = createSchema(source("one", [a]), source("two", [b]));
    assert.deepEqual([...joined.methods.keys()], ["/a.S/Do", "/b.T/Do"]);
    const again = createSchema(source("all", files), source("two", [b]));
    assert.deepEqual([...again.methods.keys()], ["/b.T/Do", "/a.S/Do"]);
    assert.equal(again.fingerprint, joined.fingerprint);
  });

  test("may have the same file, though only one has its comments and JSON names", async (t) => {
    const [whole] = await compileTexts(t, { "a.proto": proto3("a", `message M { int32 some_thing = 1; }`) });
    assert.ok(whole);
    const bare = clone(FileDescriptorProtoSchema, whole);
    delete bare.sourceCodeInfo;
    clearJsonName(bare);
    const { registry } = createSchema(source("one", [whole]), source("two", [bare]));
    assert.equal(registry.getMessage("a.M")?.fields[0]?.jsonName, "someThing");
  });

  test("may have different editions of google's files", async (t) => {
    const name = "google/rpc/code.proto";
    const older = file({
      name,
      package: "google.rpc",
      enumType: [{ name: "Code", value: [{ name: "OK", number: 0 }] }],
    });
    const [newer] = await compileTexts(t, { [name]: proto3("google.rpc", "enum Code { OK = 0; NO = 1; }") });
    assert.ok(newer);
    const { registry } = createSchema(source("one", [older]), source("two", [newer]));
    assert.equal(registry.getEnum("google.rpc.Code")?.values.length, 1);
  });

  test("may not have two files of one name", async (t) => {
    const one = await compileTexts(t, { "a.proto": proto3("a", `message M {}`) });
    const two = await compileTexts(t, { "a.proto": proto3("b", `message M {}`) });
    assert.throws(
      () => createSchema(source("one", one), source("two", two)),
      invalid("a.proto (one)", "a.proto (two)"),
    );
  });
});

describe("descriptors that make no sense are refused", () => {
  const scalar = {
    number: 1,
    label: FieldDescriptorProto_Label.OPTIONAL,
    type: FieldDescriptorProto_Type.STRING,
  };
  const cases: [string, readonly MessageInitShape<typeof FileDescriptorProtoSchema>[], readonly string[]][] =
    [
      [
        "a missing import",
        [{ name: "a.proto", package: "a", dependency: ["shop/types.proto"] }],
        ["a.proto (x) imports shop/types.proto", "--include_imports"],
      ],
      [
        "a name that is declared twice",
        [
          { name: "a.proto", package: "a", messageType: [{ name: "M" }] },
          { name: "b.proto", package: "a", enumType: [{ name: "M", value: [{ name: "A", number: 0 }] }] },
        ],
        ["a.M is declared twice", "a.proto (x)", "b.proto (x)"],
      ],
      [
        "a type that nobody declares",
        [
          {
            name: "a.proto",
            package: "a",
            messageType: [
              {
                name: "M",
                field: [{ ...scalar, name: "f", type: FieldDescriptorProto_Type.MESSAGE, typeName: ".b.N" }],
              },
            ],
          },
        ],
        ["a.proto (x)", "the field a.M.f", ".b.N"],
      ],
      [
        "a method without types",
        [{ name: "a.proto", package: "a", service: [{ name: "S", method: [{ name: "Do" }] }] }],
        ["the method a.S.Do"],
      ],
      [
        "a method that is declared twice",
        [
          {
            name: "a.proto",
            package: "a",
            messageType: [{ name: "M" }],
            service: [
              {
                name: "S",
                method: [1, 2].map(() => ({ name: "Do", inputType: ".a.M", outputType: ".a.M" })),
              },
            ],
          },
        ],
        ["/a.S/Do is declared twice"],
      ],
      [
        "a circle of imports that types need",
        [
          { name: "a.proto", package: "a", dependency: ["b.proto"], messageType: [messageWith("A", ".b.B")] },
          { name: "b.proto", package: "b", dependency: ["a.proto"], messageType: [messageWith("B", ".a.A")] },
        ],
        ["circle", "a.proto/A (x)", "b.proto/B (x)"],
      ],
      [
        "a name that is no identifier",
        [
          {
            name: "a.proto",
            package: "a",
            messageType: [{ name: "M", field: [{ ...scalar, name: "x;y" }] }],
          },
        ],
        ["x: a.proto", '"x;y"'],
      ],
      [
        "a package that is no identifier",
        [{ name: "a.proto", package: "a.b/../c", messageType: [{ name: "M" }] }],
        ["x: a.proto", '"a.b/../c"'],
      ],
      [
        "an edition from the future",
        [{ name: "a.proto", package: "a", syntax: "proto9" }],
        ["x: a.proto", "proto9"],
      ],
    ];
  for (const [title, files, parts] of cases) {
    test(title, () => {
      assert.throws(() => createSchema(source("x", files.map(file))), invalid(...parts));
    });
  }

  function messageWith(name: string, typeName: string) {
    return { name, field: [{ ...scalar, name: "f", type: FieldDescriptorProto_Type.MESSAGE, typeName }] };
  }
});
