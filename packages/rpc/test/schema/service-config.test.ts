import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { applyServiceConfig, compileProtos, RpcError, type JsonValue, type Schema } from "../../src/index.ts";

const echoProto = fileURLToPath(new URL("../../../testkit/proto/echo.proto", import.meta.url));

let schema: Schema;
before(async () => {
  schema = await compileProtos([echoProto], { importPaths: [dirname(echoProto)] });
});

describe("a service configuration", () => {
  test("gives rules to methods that have none, and takes the place of rules that they have", () => {
    const configured = applyServiceConfig(schema, {
      type: "google.api.Service",
      config_version: 3,
      http: {
        rules: [
          { selector: "sluice.test.v1.Echo.Sleep", post: "/v2/sleep", body: "*" },
          { selector: "sluice.test.v1.Echo.Say", get: "/v2/wrong" },
          {
            selector: "sluice.test.v1.Echo.Say",
            get: "/v2/say/{text}",
            additional_bindings: [{ custom: { kind: "report", path: "/v2/say" }, response_body: "text" }],
          },
        ],
      },
    });
    assert.deepEqual(configured.methods.get("/sluice.test.v1.Echo/Sleep")?.rules, [
      { method: "POST", template: "/v2/sleep", body: "*", responseBody: "" },
    ]);
    assert.deepEqual(configured.methods.get("/sluice.test.v1.Echo/Say")?.rules, [
      { method: "GET", template: "/v2/say/{text}", body: "", responseBody: "" },
      { method: "REPORT", template: "/v2/say", body: "", responseBody: "text" },
    ]);
    const collect = "/sluice.test.v1.Echo/Collect";
    assert.deepEqual(configured.methods.get(collect), schema.methods.get(collect));
    assert.equal(schema.methods.get("/sluice.test.v1.Echo/Sleep")?.rules.length, 0);
  });

  const mistakes: readonly [what: string, config: JsonValue, message: RegExp][] = [
    ["nothing", null, /no list http\.rules/],
    ["a list", [], /no list http\.rules/],
    ["no rules", { http: {} }, /no list http\.rules/],
    ["a rule that is none", { http: { rules: ["x"] } }, /http\.rules\[0\]/],
    [
      "a member that no rule has",
      { http: { rules: [{ selector: "a.B.C", gte: "/x" }] } },
      /http\.rules\[0\].*gte/,
    ],
    ["two patterns", { http: { rules: [{ selector: "a.B.C", get: "/x", put: "/x" }] } }, /http\.rules\[0\]/],
    [
      "a selector of nothing",
      { http: { rules: [{ selector: "a.B.C", get: "/x" }] } },
      /"a\.B\.C" is no method/,
    ],
    ["no selector", { http: { rules: [{ get: "/x" }] } }, /"" is no method/],
  ];
  for (const [what, config, message] of mistakes) {
    test(`with ${what} is refused`, () => {
      assert.throws(
        () => applyServiceConfig(schema, config),
        (error) =>
          error instanceof RpcError && error.code === "http_rule_invalid" && message.test(error.message),
      );
    });
  }
});
