import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RpcError } from "@sluice/rpc";
import { parseBalancedTarget, targetOf, type BalancedTarget } from "../../src/balancer/balanced-target.ts";

describe("a target of several addresses", () => {
  const good: readonly [target: string | readonly string[], parsed: BalancedTarget][] = [
    ["a:1", { kind: "list", addresses: ["a:1"] }],
    ["a:1,b:2", { kind: "list", addresses: ["a:1", "b:2"] }],
    ["a:1, b:2 ,a:1", { kind: "list", addresses: ["a:1", "b:2"] }],
    [["a:1", "[::1]:2"], { kind: "list", addresses: ["a:1", "[::1]:2"] }],
    ["https://a,https://b:8443", { kind: "list", addresses: ["https://a", "https://b:8443"] }],
    [
      ["unix:/run/a.sock", "unix:/run/b.sock"],
      { kind: "list", addresses: ["unix:/run/a.sock", "unix:/run/b.sock"] },
    ],
    ["dns:///orders:50051", { kind: "name", host: "orders", port: 50_051, authority: "orders:50051" }],
    ["dns:orders:50051", { kind: "name", host: "orders", port: 50_051, authority: "orders:50051" }],
    [["dns:///orders:1"], { kind: "name", host: "orders", port: 1, authority: "orders:1" }],
    ["dns:///10.0.0.1:50051", { kind: "list", addresses: ["10.0.0.1:50051"] }],
    ["dns:///[::1]:50051", { kind: "list", addresses: ["[::1]:50051"] }],
  ];
  for (const [target, parsed] of good) {
    test(`may be ${JSON.stringify(target)}`, () => assert.deepEqual(parseBalancedTarget(target), parsed));
  }

  const bad: readonly [target: string | readonly string[], message: RegExp][] = [
    ["", /is empty/],
    [[], /the list of backend addresses is empty/],
    ["a:1,,b:2", /is empty/],
    ["a:1,b", /"b" has no port/],
    ["dns:///a:1,b:2", /mix a dns: name with others; write the name alone/],
    [["dns:///a:1", "dns:///b:1"], /mix a dns: name with others/],
  ];
  for (const [target, message] of bad) {
    test(`may not be ${JSON.stringify(target)}`, () => {
      assert.throws(
        () => parseBalancedTarget(target),
        (error) =>
          error instanceof RpcError && error.code === "target_invalid" && message.test(error.message),
      );
    });
  }

  test("is found from an IP address and a port", () => {
    assert.deepEqual([targetOf("10.0.0.1", 1), targetOf("::1", 2)], ["10.0.0.1:1", "[::1]:2"]);
  });
});
