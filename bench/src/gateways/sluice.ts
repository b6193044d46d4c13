import { createLogger, growHeapFreely, Gateway } from "@sluice/gateway";
import { createBalancedBackend, loadDescriptorSets, type ShareRules } from "@sluice/rpc";

/** Late followers first get the latest note, so that all begin with one. */
const share: ShareRules = new Map([["/sluice.bench.Board/Follow", { replay: true }]]);

/** The gateway as `sluice serve` makes it; with `shares` it opens `Board.Follow` once for all. Resolves to its port. */
export async function startSluice(backend: string, descriptors: string, shares = false): Promise<number> {
  growHeapFreely();
  const gateway = new Gateway({
    upstreams: [
      {
        name: backend,
        backend: createBalancedBackend(backend),
        loadSchema: () => loadDescriptorSets([descriptors]),
      },
    ],
    log: createLogger("warn"),
    ...(shares && { share }),
  });
  const { port } = await gateway.start("127.0.0.1", 0);
  return port;
}
