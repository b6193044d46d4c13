/**
 * A gateway under measure, with the control channel of `program.ts`. Arguments: which one, the address of the
 * backend, and the descriptor set.
 */
import { createInterface } from "node:readline";

async function start(name: string, backend: string, descriptors: string): Promise<number> {
  // Imported on demand: a process loads only the libraries that it measures.
  switch (name) {
    case "sluice":
      return (await import("./sluice.ts")).startSluice(backend, descriptors);
    case "shared":
      return (await import("./sluice.ts")).startSluice(backend, descriptors, true);
    case "grpc-js":
      return (await import("./grpc-js.ts")).startGrpcJs(backend, descriptors);
    case "connect-node":
      return (await import("./connect-node.ts")).startConnectNode(backend, descriptors);
    case "ws + grpc-js":
      return (await import("./ws-grpc-js.ts")).startWsGrpcJs(backend);
    case "relay":
      return (await import("./relay.ts")).startRelay(backend);
    default:
      throw new RangeError(
        `no gateway ${name}: one of sluice, shared, grpc-js, connect-node, ws + grpc-js, relay`,
      );
  }
}

const [name = "", backend = "", descriptors = ""] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify({ port: await start(name, backend, descriptors) })}\n`);
createInterface(process.stdin)
  .on("line", () => {
    const { user, system } = process.cpuUsage();
    process.stdout.write(`${JSON.stringify({ user, system })}\n`);
  })
  .on("close", () => process.exit());
