/**
 * A gateway in a process of its own, whose memory can be counted: forked with the address of an echo server. It sends its
 * port, and for each message that it gets what it holds once nothing is open.
 */
import { compileProtos, createHttp2Backend } from "@sluice/rpc";
import { createLogger, Gateway, type GatewayCounts } from "../../src/index.ts";

/** What the gateway holds after a garbage collection. */
export interface Holding {
  /** Heap, and memory outside of it that JavaScript holds, in bytes. */
  readonly bytes: number;
  readonly counts: GatewayCounts;
}

const [address = "", protoPath = "", ...importPaths] = process.argv.slice(2);
const gateway = new Gateway({
  upstreams: [
    {
      name: address,
      backend: createHttp2Backend(address),
      loadSchema: () => compileProtos([protoPath], { importPaths }),
    },
  ],
  log: createLogger("silent"),
  rest: { strict: true },
  // Short, because nobody looks here at what a client is told.
  bodyMs: 50,
  limits: { aliveMs: 50 },
});
const { port } = await gateway.start("127.0.0.1", 0);
process.send?.(port);
process.on("message", () => void tell());
process.on("disconnect", () => void gateway.close(0));

const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

async function tell(): Promise<void> {
  while (gateway.counts.connections > 0) await aMoment();
  // What finalizers free, the next collection takes.
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await aMoment();
  }
  const { heapUsed, external } = process.memoryUsage();
  const holding: Holding = { bytes: heapUsed + external, counts: gateway.counts };
  process.send?.(holding);
}
