import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RpcError } from "@sluice/rpc";
import { parseTarget } from "../../src/backend/target.ts";

const tcp = (host: string, port: number, authority: string, scheme?: "http" | "https") => ({
  address: { host, port },
  scheme,
  authority,
});

describe("the address of a backend", () => {
  const valid: readonly [target: string, expected: unknown][] = [
    ["localhost:50051", tcp("localhost", 50051, "localhost:50051")],
    ["127.0.0.1:1", tcp("127.0.0.1", 1, "127.0.0.1:1")],
    [
      "orders.prod_1.example.com:65535",
      tcp("orders.prod_1.example.com", 65535, "orders.prod_1.example.com:65535"),
    ],
    ["[::1]:50051", tcp("::1", 50051, "[::1]:50051")],
    ["[fe80::1%eth0]:50051", tcp("fe80::1%eth0", 50051, "[fe80::1%eth0]:50051")],
    ["dns:///orders:50051", tcp("orders", 50051, "orders:50051")],
    ["dns:orders:50051", tcp("orders", 50051, "orders:50051")],
    ["ipv4:10.0.0.1:80", tcp("10.0.0.1", 80, "10.0.0.1:80")],
    ["ipv6:[::1]:80", tcp("::1", 80, "[::1]:80")],
    ["http://orders:50051", tcp("orders", 50051, "orders:50051", "http")],
    ["http://orders/", tcp("orders", 80, "orders:80", "http")],
    ["https://orders", tcp("orders", 443, "orders:443", "https")],
    ["https://[::1]:8443/", tcp("::1", 8443, "[::1]:8443", "https")],
    [
      "unix:/run/orders.sock",
      { address: { path: "/run/orders.sock" }, scheme: undefined, authority: "localhost" },
    ],
    [
      "unix:///run/orders.sock",
      { address: { path: "/run/orders.sock" }, scheme: undefined, authority: "localhost" },
    ],
    ["unix:orders.sock", { address: { path: "orders.sock" }, scheme: undefined, authority: "localhost" }],
  ];
  for (const [target, expected] of valid) {
    test(`${target} is understood`, () => assert.deepEqual(parseTarget(target), expected));
  }

  const invalid: readonly [target: string, why: RegExp][] = [
    ["", /is empty/],
    ["localhost", /has no port/],
    ["dns:///", /has no host/],
    ["http://", /has no host/],
    [":50051", /is not a host and a port/],
    ["localhost:", /is not a host and a port/],
    ["localhost:http", /is not a host and a port/],
    ["localhost:0", /not between 1 and 65535/],
    ["localhost:65536", /not between 1 and 65535/],
    ["::1:50051", /IPv6 address without brackets/],
    ["localhost:1:2", /more than one port/],
    ["dns://8.8.8.8/orders:50051", /has an unknown scheme/],
    ["grpc://orders:50051", /has an unknown scheme/],
    ["http://orders:1/prefix", /has a path/],
    ["orders:1/prefix", /has a path/],
    ["http://user@orders:1", /is not a host and a port/],
    ["or ders:1", /is not a host and a port/],
    ["unix:", /is not a host and a port/],
  ];
  for (const [target, why] of invalid) {
    test(`"${target}" is refused with what to write`, () => {
      assert.throws(
        () => parseTarget(target),
        (error) =>
          error instanceof RpcError &&
          error.code === "target_invalid" &&
          why.test(error.message) &&
          error.message.includes(`"${target}"`) &&
          error.message.includes("write host:port"),
      );
    });
  }
});
