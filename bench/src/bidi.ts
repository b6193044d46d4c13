import { BidiLoad } from "./bidi-load.ts";
import {
  bareWire,
  grpcWebsocketsWire,
  jsonWire,
  multiplexWire,
  numberedWire,
  type BidiWire,
} from "./bidi-wires.ts";
import { formatComparison, type ComparedCase } from "./comparison.ts";
import { contest, type Contestant, type Load } from "./contest.ts";
import type { BenchOptions } from "./options.ts";
import { Program } from "./program.ts";
import { buildPrograms, type Programs } from "./programs.ts";
import { ServerProcess } from "./server-process.ts";
import { median, ratios, threeDigits } from "./statistics.ts";

const subjects = ["net", "relay", "ws + grpc-js", "grpcwebproxy", "grpc-websocket-proxy", "sluice"] as const;

type SubjectName = (typeof subjects)[number];

const wires: Record<SubjectName, BidiWire> = {
  net: bareWire,
  relay: bareWire,
  "ws + grpc-js": numberedWire,
  grpcwebproxy: grpcWebsocketsWire,
  "grpc-websocket-proxy": jsonWire,
  sluice: multiplexWire,
};

const bars = { "ws + grpc-js": 0.25, grpcwebproxy: 0.5, "grpc-websocket-proxy": 0.5 } as const;

/** So many messages go before the first that is counted: V8 has then compiled what it will. */
const warmUpMessages = 10_000;

const warmUpMilliseconds = 300;

interface BidiCase {
  readonly name: string;
  readonly connections: number;
  /** Calls on each connection. */
  readonly calls: number;
  /** Size of a message. */
  readonly bytes: number;
  /** Messages that each call has under way. */
  readonly window: number;
}

const cases: readonly BidiCase[] = [
  { name: "1 socket × 100 calls, 100 B", connections: 1, calls: 100, bytes: 100, window: 1 },
  { name: "1 socket × 100 calls, 16 KiB", connections: 1, calls: 100, bytes: 16_384, window: 1 },
  { name: "100 sockets × 1 call, 100 B", connections: 100, calls: 1, bytes: 100, window: 1 },
  { name: "100 sockets × 1 call, 16 KiB", connections: 100, calls: 1, bytes: 16_384, window: 1 },
  { name: "100 sockets × 1 call, 8 × 100 B", connections: 100, calls: 1, bytes: 100, window: 8 },
];

/** CPU of the gateway process per message of bidirectional calls on WebSockets, beside other gateways. Prints tables. */
export async function benchBidi(options: BenchOptions): Promise<void> {
  const programs = await buildPrograms();
  const chosen = cases.filter(({ name }) => name.includes(options.only));
  const measured = await contest(subjects, options, (name) => start(name, programs, chosen));
  const compared = chosen.flatMap(({ name }, index): ComparedCase<SubjectName>[] => {
    const costs = measured[index];
    return costs === undefined ? [] : [{ name, ...costs, bars }];
  });
  console.log(`Bidirectional calls over WebSockets to gateways before a gRPC server that gives back each message. 100 calls are
open; each sends its message again when it has come back, and with "8 ×" has eight of them under way, as a stream does. Median
(least–most) of the rounds. A message counts once, for its way to the backend and back.
ws + grpc-js is written by hand and passes bytes through. grpcwebproxy (grpc-websockets) and grpc-websocket-proxy
(over grpc-gateway, with JSON) are in Go; they have one call on a socket, so that they have 100 sockets in all cases.
net is bare sockets that write back what they read, without a backend: what the clients' side costs at the least.
relay is bare sockets whose bytes go on one connection to net and back: what a gateway of Node's sockets costs at the least.
`);
  console.log(formatComparison("CPU µs per message", ["relay", "sluice"], compared));
  for (const line of compared.flatMap(aboveBars)) console.log(line);
}

/** The bars that the floor itself does not meet. */
function aboveBars({ name, total }: ComparedCase<SubjectName>): string[] {
  return (Object.keys(bars) as (keyof typeof bars)[]).flatMap((peer) => {
    const floor = median(ratios(total.get("relay") ?? [], total.get(peer) ?? []));
    if (!(floor > bars[peer])) return [];
    const what = `the relay costs ${threeDigits(floor)} of ${peer}`;
    return [`${name}: ${what}, so that the bar of ${bars[peer]} is out of reach`];
  });
}

async function start(
  name: SubjectName,
  programs: Programs,
  chosen: readonly BidiCase[],
): Promise<Contestant> {
  const backend = await startBackend(name, programs);
  const gateway = await startServer(name, programs, `127.0.0.1:${backend.port}`);
  const wire = wires[name];
  const loads: Load[] = [];
  for (const { connections, calls, bytes, window } of chosen) {
    const isOneEach = !wire.isMultiplexed;
    const load = await BidiLoad.open({
      port: gateway.port,
      wire,
      connections: isOneEach ? connections * calls : connections,
      calls: isOneEach ? 1 : calls,
      bytes,
      window,
    });
    loads.push(load);
    for (let messages = 0; messages < warmUpMessages;) messages += await load.run(warmUpMilliseconds);
  }
  const stop = async (): Promise<void> => {
    await gateway.stop();
    await backend.stop();
  };
  return { server: { cpu: () => gateway.cpu(), stop }, loads };
}

/** Bare sockets have one behind them that writes back what it reads, gateways a gRPC server. */
function startBackend(name: SubjectName, { echo }: Programs): Promise<Program | ServerProcess> {
  return name === "relay" ? ServerProcess.start("net") : Program.start("echo", echo, []);
}

function startServer(
  name: SubjectName,
  programs: Programs,
  backend: string,
): Promise<Program | ServerProcess> {
  const { nodeGateway, descriptors, grpcwebproxy, wsproxy } = programs;
  if (name === "net") return ServerProcess.start(name);
  if (name === "grpcwebproxy") return Program.start(name, grpcwebproxy, [backend]);
  if (name === "grpc-websocket-proxy") return Program.start(name, wsproxy, [backend]);
  return Program.start(name, process.execPath, [nodeGateway, name, backend, descriptors]);
}
