import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createOpenApiDocument } from "../../src/openapi/openapi-document.ts";
import { joinSchemas } from "../../src/schema/join-schemas.ts";
import { createSchema } from "../../src/schema/schema.ts";
import { compileTexts, proto3 } from "./protos.ts";

describe("schemas of several backends", () => {
  test("are shown as one, each with its own file of a name that both have", async (t) => {
    const [users] = await compileTexts(t, {
      "api.proto": proto3("users", `message M { int32 a = 1; } service Users { rpc Do(M) returns (M); }`),
    });
    const [orders] = await compileTexts(t, {
      "api.proto": proto3("orders", `message M { string b = 1; } service Orders { rpc Do(M) returns (M); }`),
    });
    assert.ok(users && orders);
    const one = createSchema({ name: "one", files: [users] });
    const two = createSchema({ name: "two", files: [orders] });
    const joined = joinSchemas([one, two]);
    assert.deepEqual([...joined.methods.keys()], ["/users.Users/Do", "/orders.Orders/Do"]);
    assert.deepEqual(
      joined.services.map(({ typeName }) => typeName),
      ["users.Users", "orders.Orders"],
    );
    assert.equal(joined.registry.getFile("api.proto")?.proto.package, "users");
    assert.equal(joined.registry.getMessage("users.M")?.fields[0]?.name, "a");
    assert.equal(joined.registry.getMessage("orders.M")?.fields[0]?.name, "b");
    const { paths } = createOpenApiDocument(joined) as { paths: object };
    assert.deepEqual(Object.keys(paths), ["/users.Users/Do", "/orders.Orders/Do"]);
    assert.notEqual(joined.fingerprint, one.fingerprint);
    assert.notEqual(joinSchemas([two, one]).fingerprint, joined.fingerprint);
  });

  test("show what two of them have as the first has it", async (t) => {
    const body = `message M { int32 a = 1; } service S { rpc Do(M) returns (M); `;
    const [older] = await compileTexts(t, { "a.proto": proto3("a", `${body} }`) });
    const [newer] = await compileTexts(t, {
      "b.proto": proto3("a", `${body} rpc Undo(M) returns (M); } service T { rpc Do(M) returns (M); }`),
    });
    assert.ok(older && newer);
    const one = createSchema({ name: "one", files: [older] });
    const joined = joinSchemas([one, createSchema({ name: "two", files: [newer] })]);
    assert.deepEqual([...joined.methods.keys()], ["/a.S/Do", "/a.T/Do"]);
    assert.equal(joined.registry.getMessage("a.M"), one.registry.getMessage("a.M"));
    assert.deepEqual(joinSchemas([one]), one);
  });
});
