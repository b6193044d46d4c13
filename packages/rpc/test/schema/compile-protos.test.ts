import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { RpcError, type RpcErrorCode } from "../../src/error.ts";
import { compileProtos } from "../../src/schema/compile-protos.ts";
import { proto3, writeFiles } from "./protos.ts";

const service = "service S { rpc Do(M) returns (M); }";

function failure(code: RpcErrorCode, ...parts: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RpcError);
    assert.equal(error.code, code);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message}\nlacks ${part}`);
    return true;
  };
}

describe("compiling .proto files", () => {
  test("finds what is beside a file, in google/protobuf, in google/api and in google/rpc", async (t) => {
    const folder = writeFiles(t, {
      "a.proto": proto3(
        "a",
        `message M { b.N n = 1; google.protobuf.Duration d = 2; google.rpc.ErrorInfo e = 3; google.rpc.Code c = 4;
           google.rpc.Status s = 5; google.api.HttpBody h = 6; }
         service S { rpc Do(M) returns (M) { option (google.api.http) = { get: "/v1/do" }; } }`,
        [
          "b.proto",
          "google/protobuf/duration.proto",
          "google/rpc/error_details.proto",
          "google/rpc/code.proto",
          "google/rpc/status.proto",
          "google/api/httpbody.proto",
          "google/api/annotations.proto",
        ],
      ),
      "b.proto": proto3("b", "message N {}"),
    });
    const schema = await compileProtos([join(folder, "a.proto")]);
    assert.equal(schema.methods.get("/a.S/Do")?.rules[0]?.template, "/v1/do");
    assert.equal(schema.methods.get("/a.S/Do")?.input.fields.length, 6);
  });

  test("keeps comments", async (t) => {
    const folder = writeFiles(t, { "a.proto": proto3("a", `// What it is.\nmessage M {}`) });
    const { registry } = await compileProtos([join(folder, "a.proto")]);
    const comments = registry
      .getFile("a.proto")
      ?.proto.sourceCodeInfo?.location.map((each) => each.leadingComments);
    assert.ok(comments?.includes(" What it is.\n"));
  });

  test("takes editions", async (t) => {
    const folder = writeFiles(t, { "a.proto": `edition = "2024"; package a; message M {} ${service}` });
    assert.ok((await compileProtos([join(folder, "a.proto")])).methods.has("/a.S/Do"));
  });

  test("searches the import paths in order, for files and imports", async (t) => {
    const folder = writeFiles(t, {
      "root/shop/a.proto": proto3("shop", `message M { types.N n = 1; } ${service}`, ["shop/types.proto"]),
      "root/shop/types.proto": proto3("types", `message N {}`),
      "shadow/shop/types.proto": proto3("types", `message N { int32 x = 1; }`),
    });
    const importPaths = [join(folder, "shadow"), join(folder, "root")];
    for (const file of ["shop/a.proto", join(folder, "root/shop/a.proto")]) {
      const { registry } = await compileProtos([file], { importPaths });
      assert.equal(registry.getMessage("types.N")?.fields.length, 1);
      assert.ok(registry.getFile("shop/a.proto"));
    }
  });

  test("takes a file that is in none of the import paths", async (t) => {
    const folder = writeFiles(t, {
      "main/a.proto": proto3("a", `message M { b.N n = 1; c.O o = 2; } ${service}`, ["b.proto", "c.proto"]),
      "main/c.proto": proto3("c", `message O {}`),
      "lib/b.proto": proto3("b", `message N {}`),
    });
    const schema = await compileProtos([join(folder, "main/a.proto")], {
      importPaths: [join(folder, "lib")],
    });
    assert.ok(schema.methods.has("/a.S/Do"));
  });

  test("compiles files of the same name in different folders, from their common root", async (t) => {
    const folder = writeFiles(t, {
      "a/service.proto": proto3("a", `message M {} ${service}`),
      "b/service.proto": proto3("b", `message M {} ${service}`),
    });
    const files = ["a", "b"].map((name) => join(folder, name, "service.proto"));
    const schema = await compileProtos([...files, ...files], { importPaths: [folder] });
    assert.deepEqual([...schema.methods.keys()], ["/a.S/Do", "/b.S/Do"]);
  });

  test("prefers the user's own google files to ours", async (t) => {
    const folder = writeFiles(t, {
      "a.proto": proto3("a", `message M { google.rpc.Status s = 1; }`, ["google/rpc/status.proto"]),
      "google/rpc/status.proto": proto3("google.rpc", `message Status { int32 code = 1; bytes own = 9; }`),
    });
    const { registry } = await compileProtos([join(folder, "a.proto")]);
    assert.ok(registry.getMessage("google.rpc.Status")?.field["own"]);
  });

  test("says file, line, column and message of every error, without warnings", async (t) => {
    const text = `syntax = "proto3";
package a;
import "google/protobuf/any.proto";
message M {
  Foo foo = 1;
  string bar = 1;
}
`;
    const folder = writeFiles(t, { "bad.proto": text });
    const path = join(folder, "bad.proto");
    await assert.rejects(compileProtos([path]), (error) => {
      assert.ok(error instanceof RpcError);
      const [first, second, ...rest] = error.message.split("\n");
      assert.equal(first, `${path}:5:3: "Foo" is not defined.`);
      assert.ok(second?.startsWith(`${path}:6:16: Field number 1 `), second);
      assert.deepEqual(rest, []);
      return error.code === "proto_invalid";
    });
  });

  test("says the path of an import that does not compile as seen from here", async (t) => {
    const folder = writeFiles(t, {
      "main/a.proto": proto3("a", "message M {}", ["b.proto"]),
      "lib/b.proto": "syntax = 3;",
    });
    const compiled = compileProtos([join(folder, "main/a.proto")], { importPaths: [join(folder, "lib")] });
    await assert.rejects(compiled, failure("proto_invalid", `${join(folder, "lib/b.proto")}:1:10: `));
    const near = relative(process.cwd(), import.meta.dirname);
    await assert.rejects(
      compileProtos([join(near, "protos.ts")]),
      failure("proto_invalid", `${join(near, "protos.ts")}:1:`),
    );
  });

  test("says where it looked for an import that is missing", async (t) => {
    const folder = writeFiles(t, { "a.proto": proto3("a", "message M {}", ["shop/types.proto"]) });
    await assert.rejects(
      compileProtos([join(folder, "a.proto")]),
      failure(
        "proto_invalid",
        `a.proto:1:`,
        `"shop/types.proto" was not found`,
        `searched in ${folder}`,
        "--proto-path",
      ),
    );
  });

  test("does not repeat more than ten errors", async (t) => {
    const fields = Array.from({ length: 25 }, (_, index) => `Foo f${index} = ${index + 1};`);
    const folder = writeFiles(t, { "a.proto": proto3("a", `message M { ${fields.join("\n")} }`) });
    await assert.rejects(compileProtos([join(folder, "a.proto")]), (error) => {
      assert.ok(error instanceof RpcError);
      assert.equal(error.message.split("\n").length, 11);
      assert.match(error.message, /and 15 more$/);
      return true;
    });
  });

  const unreadable: [string, Parameters<typeof compileProtos>, RegExp][] = [
    [
      "a file that is not there",
      [["nowhere/x.proto"]],
      /^nowhere\/x\.proto: there is no such file; looked in \//,
    ],
    ["a folder", [["."]], /^\.: this is not a file/],
    [
      "an import path that is not there",
      [["x.proto"], { importPaths: ["nowhere"] }],
      /^nowhere: .*not exist/,
    ],
    ["an import path that is a file", [["x.proto"], { importPaths: ["package.json"] }], /not a folder/],
  ];
  for (const [title, args, message] of unreadable) {
    test(`refuses ${title}`, async () => {
      await assert.rejects(compileProtos(...args), { code: "proto_unreadable", message });
    });
  }

  test("refuses an import path that protoc would read as several", async (t) => {
    const folder = writeFiles(t, { "a:b/x.proto": "" });
    await assert.rejects(compileProtos(["x.proto"], { importPaths: [join(folder, "a:b")] }), {
      code: "proto_unreadable",
      message: /cannot have ":" or "="/,
    });
  });
});
