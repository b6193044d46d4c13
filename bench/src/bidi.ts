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

const subjects = ["net", "ws + grpc-js", "grpcwebproxy", "grpc-websocket-proxy", "sluice"] as const;

type SubjectName = (typeof subjects)[number];

const wires: Record<SubjectName, BidiWire> = {
  net: bareWire,
  "ws + grpc-js": numberedWire,
  grpcwebproxy: grpcWebsocketsWire,
  "grpc-websocket-proxy": jsonWire,
  sluice: multiplexWire,
};

const bars = { "ws + grpc-js": 0.25, grpcwebproxy: 0.5, "grpc-websocket-proxy": 0.5 };

interface BidiCase {
  readonly name: string;
  readonly connections: number;
  /** Calls on each connection. */
  readonly calls: number;
  /** Size of a message. */
  readonly bytes: number;
}

const cases: readonly BidiCase[] = [
  { name: "1 socket × 100 calls, 100 B", connections: 1, calls: 100, bytes: 100 },
  { name: "1 socket × 100 calls, 16 KiB", connections: 1, calls: 100, bytes: 16_384 },
  { name: "100 sockets × 1 call, 100 B", connections: 100, calls: 1, bytes: 100 },
  { name: "100 sockets × 1 call, 16 KiB", connections: 100, calls: 1, bytes: 16_384 },
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
open; each sends its message again when it has come back. Median (least–most) of the rounds. A message counts once,
for its way to the backend and back.
ws + grpc-js is written by hand and passes bytes through. grpcwebproxy (grpc-websockets) and grpc-websocket-proxy
(over grpc-gateway, with JSON) are in Go; they have one call on a socket, so that they have 100 sockets in all cases.
net is bare sockets that write back what they read, without a backend: what the clients' side costs at the least.
`);
  console.log(formatComparison("CPU µs per message", ["sluice"], compared));
}

async function start(
  name: SubjectName,
  programs: Programs,
  chosen: readonly BidiCase[],
): Promise<Contestant> {
  const backend = await Program.start("echo", programs.echo, []);
  const gateway = await startServer(name, programs, `127.0.0.1:${backend.port}`);
  const wire = wires[name];
  const loads: Load[] = [];
  for (const { connections, calls, bytes } of chosen) {
    const isOneEach = !wire.isMultiplexed;
    loads.push(
      await BidiLoad.open({
        port: gateway.port,
        wire,
        connections: isOneEach ? connections * calls : connections,
        calls: isOneEach ? 1 : calls,
        bytes,
      }),
    );
  }
  const stop = async (): Promise<void> => {
    await gateway.stop();
    await backend.stop();
  };
  return { server: { cpu: () => gateway.cpu(), stop }, loads };
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
