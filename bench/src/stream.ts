import { formatComparison } from "./comparison.ts";
import { gatewayContest, type GatewayCase } from "./gateway-contest.ts";
import type { BenchOptions } from "./options.ts";
import { watchOrders, watchPrices, type ShopCall } from "./shop-calls.ts";

/** Messages of one stream. */
const count = 5_000;

const cases: readonly GatewayCase[] = [
  streamCase("100 B", watchPrices(count)),
  streamCase("1 KB", watchOrders(count)),
];

function streamCase(name: string, call: ShopCall): GatewayCase {
  return {
    name,
    calls: [call],
    isStream: true,
    connections: 2,
    warmUpMessages: count,
    bars: { "grpc-js": 0.4, "grpc-gateway": 1 },
  };
}

/** CPU of the gateway process per message of a server's stream, beside other gateways. Prints two tables. */
export async function benchStream(options: BenchOptions): Promise<void> {
  const compared = await gatewayContest(cases, options);
  console.log(`Streams of ${count} messages from a gRPC server, as NDJSON over HTTP/1.1 (connect-node: as envelopes of JSON), 2 at a
time. Median (least–most) of the rounds. grpc-js is node:http with @grpc/grpc-js and protobuf-es; grpc-gateway is
the one in Go.
`);
  console.log(formatComparison("CPU µs per message", ["sluice"], compared));
}
