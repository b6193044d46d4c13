import { formatComparison } from "./comparison.ts";
import { gatewayContest, type GatewayCase } from "./gateway-contest.ts";
import type { BenchOptions } from "./options.ts";
import { checkAddress, createOrder, getAddress, getOrder, type ShopCall } from "./shop-calls.ts";

/** How many different requests there are of each case. */
const variety = 64;

const cases: readonly GatewayCase[] = [
  restCase("GET 100 B", getAddress),
  restCase("POST 100 B", checkAddress),
  restCase("GET 1 KB", getOrder),
  restCase("POST 1 KB", createOrder),
];

function restCase(name: string, call: (number: number) => ShopCall): GatewayCase {
  return {
    name,
    calls: Array.from({ length: variety }, (_, number) => call(number)),
    isStream: false,
    connections: 16,
    warmUpMessages: 3_000,
    bars: { "grpc-js": 0.5, "grpc-gateway": 1 },
  };
}

/** CPU of the gateway process per unary request of REST, beside other gateways. Prints two tables. */
export async function benchRest(options: BenchOptions): Promise<void> {
  const compared = await gatewayContest(cases, options);
  console.log(`Unary requests of REST with JSON, over 16 connections of HTTP/1.1, one request at a time on each, to gateways before
a gRPC server. Median (least–most) of the rounds. grpc-js is node:http with @grpc/grpc-js and protobuf-es;
connect-node is asked with Connect, unary GET and POST; grpc-gateway is the one in Go.
`);
  console.log(formatComparison("CPU µs per request", ["sluice"], compared));
}
