import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import {
  fromBinary,
  type DescEnum,
  type DescField,
  type DescMessage,
  type FileRegistry,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { loadSync } from "@grpc/proto-loader";
import { mendDescriptors } from "../../src/schema/mend.ts";
import { ownProtoFolder } from "../../src/schema/protoc.ts";
import { createSchema } from "../../src/schema/schema.ts";
import { compileTexts, proto3, writeFiles } from "./protos.ts";

/** The descriptors that @grpc/reflection would answer with. */
function damagedDescriptors(context: TestContext, texts: Record<string, string>): FileDescriptorProto[] {
  const folder = writeFiles(context, texts);
  const definition = loadSync(
    Object.keys(texts).map((name) => join(folder, name)),
    { includeDirs: [folder, ownProtoFolder], keepCase: true },
  );
  const files = new Map<string, FileDescriptorProto>();
  for (const type of Object.values(definition)) {
    const { fileDescriptorProtos } = type;
    if (!Array.isArray(fileDescriptorProtos)) continue;
    for (const bytes of fileDescriptorProtos as Uint8Array[]) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      files.set(file.name, file);
    }
  }
  return [...files.values()];
}

function shapeOfField(field: DescField): unknown {
  return {
    name: field.name,
    number: field.number,
    jsonName: field.jsonName,
    kind: field.fieldKind,
    element:
      field.fieldKind === "list" ? field.listKind : field.fieldKind === "map" ? field.mapKind : undefined,
    key: field.fieldKind === "map" ? field.mapKey : undefined,
    scalar: field.scalar,
    message: field.message?.typeName,
    enum: field.enum?.typeName,
    presence: field.presence,
    oneof: field.oneof?.name,
    optional: field.proto.proto3Optional,
    entry: field.fieldKind === "map" ? field.proto.typeName : undefined,
  };
}

function shapeOf(registry: FileRegistry, scope: string): unknown {
  const types = [...registry].filter(
    (type): type is DescMessage | DescEnum =>
      type.kind !== "service" && type.typeName.startsWith(`${scope}.`),
  );
  return Object.fromEntries(
    types.map((type) => [
      type.typeName,
      type.kind === "message"
        ? { fields: type.fields.map(shapeOfField), oneofs: type.oneofs.map(({ name }) => name) }
        : type.kind === "enum" && type.values.map(({ name, number }) => ({ name, number })),
    ]),
  );
}

const cases: [string, Record<string, string>][] = [
  [
    "type names without their scope",
    {
      "a.proto": proto3(
        "shop.a",
        `message Outer {
           message Inner { Inner self = 1; Outer outer = 2; Other other = 3; shop.b.Far far = 4; }
           message Other { enum Kind { NONE = 0; } Kind kind = 1; repeated Inner inners = 2; }
           Inner inner = 1; Other.Kind kind = 2; Same same = 3;
         }
         message Other { int32 top = 1; } message Same { Other other = 1; Outer.Other nested = 2; }
         service S { rpc Do(Outer) returns (stream shop.b.Far); }`,
        ["b.proto"],
      ),
      "b.proto": proto3("shop.b", "message Far { Far.Near near = 1; message Near {} }"),
    },
  ],
  [
    "map entries",
    {
      "a.proto": proto3(
        "shop",
        `message M {
           message Labels {} message Inner { map<string, Inner> labels = 1; }
           map<string, string> labels = 1; map<int32, Inner> by_the_id = 2; map<bool, Color> camelCase = 3;
           map<string, google.protobuf.Value> values = 4; repeated Labels others = 5; map<int64, Labels> more_ = 6;
         }
         enum Color { RED = 0; }`,
        ["google/protobuf/struct.proto"],
      ),
    },
  ],
  [
    "optional fields beside oneofs",
    {
      "a.proto": proto3(
        "shop",
        `message M { optional int32 first = 1; oneof choice { int32 one = 2; M two = 3; } optional M last = 4;
           oneof second { string three = 5; } string plain = 6; optional string snake_case = 7; }`,
      ),
    },
  ],
  [
    "the google.protobuf file that it invents",
    {
      "a.proto": proto3(
        "shop",
        `message M { google.protobuf.Timestamp t = 1; google.protobuf.Struct s = 2; google.protobuf.Any a = 3;
           google.protobuf.FieldMask m = 4; google.protobuf.StringValue w = 5; google.protobuf.NullValue n = 6;
           google.rpc.Status status = 7; google.api.HttpBody body = 8; }
         service S { rpc Do(M) returns (google.protobuf.Empty); }`,
        [
          "google/protobuf/timestamp.proto",
          "google/protobuf/struct.proto",
          "google/protobuf/any.proto",
          "google/protobuf/field_mask.proto",
          "google/protobuf/wrappers.proto",
          "google/protobuf/empty.proto",
          "google/rpc/status.proto",
          "google/api/httpbody.proto",
        ],
      ),
    },
  ],
  [
    "packages that import each other once their files are merged",
    {
      "shop/a1.proto": proto3("shop.a", `message A1 { int32 x = 1; } enum E { NONE = 0; }`),
      "shop/b1.proto": proto3("shop.b", `message B1 { shop.a.A1 a = 1; shop.a.E e = 2; }`, ["shop/a1.proto"]),
      "shop/a2.proto": proto3("shop.a", `message A2 { shop.b.B1 b = 1; A1 a = 2; }`, [
        "shop/a1.proto",
        "shop/b1.proto",
      ]),
      "shop/c.proto": proto3(
        "shop.c",
        `message C { shop.a.A2 a = 1; } service S { rpc Do(C) returns (shop.b.B1); }`,
        ["shop/a2.proto", "shop/b1.proto"],
      ),
    },
  ],
];

describe("mending gives descriptors of protobuf.js the shape of protoc's:", () => {
  for (const [title, texts] of cases) {
    test(title, async (t) => {
      const whole = createSchema({ name: "protoc", files: await compileTexts(t, texts) });
      const mended = createSchema({ name: "protobuf.js", files: damagedDescriptors(t, texts) });
      assert.deepEqual(shapeOf(mended.registry, "shop"), shapeOf(whole.registry, "shop"));
      assert.deepEqual(
        [...mended.methods.values()].map(({ path, kind, input, output }) => [
          path,
          kind,
          input.typeName,
          output.typeName,
        ]),
        [...whole.methods.values()].map(({ path, kind, input, output }) => [
          path,
          kind,
          input.typeName,
          output.typeName,
        ]),
      );
      const timestamp = mended.registry.getMessage("google.protobuf.Timestamp");
      assert.equal(timestamp?.file.proto.name, "google/protobuf/timestamp.proto");
    });
  }

  test("extensions", async (t) => {
    const texts = {
      "a.proto": `syntax = "proto2"; package shop; message M { extensions 100 to 199; message N {} }
        extend M { optional M.N more = 100; } message Scope { extend M { repeated M.N yet_more = 101; } }`,
    };
    const { registry } = createSchema({ name: "protobuf.js", files: damagedDescriptors(t, texts) });
    for (const name of ["shop.more", "shop.Scope.yet_more"]) {
      const extension = registry.getExtension(name);
      assert.equal(extension?.extendee.typeName, "shop.M");
      assert.equal(extension.message?.typeName, "shop.M.N");
    }
  });
});

test("mending leaves the descriptors of protoc as they are", async (t) => {
  const files = await compileTexts(t, {
    ...Object.fromEntries(
      cases.flatMap(([, texts], index) =>
        Object.entries(texts).map(([name, text]) => renamed(index, name, text)),
      ),
    ),
    "public.proto": `syntax = "proto3"; package p; import public "0/b.proto";`,
    "through.proto": proto3("q", "message Q { c0.shop.b.Far far = 1; }", ["public.proto"]),
  });
  assert.deepEqual(mendDescriptors(files), files);
});

/** Puts a case into a folder and a package of its own, so that all cases can be compiled together. */
function renamed(index: number, name: string, text: string): [string, string] {
  const moved = text
    .replaceAll(/(?<![\w.])shop(?=[.;])/g, `c${index}.shop`)
    .replaceAll(/import "(?!google)/g, `import "${index}/`);
  return [`${index}/${name}`, moved];
}
