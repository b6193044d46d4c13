import { createLogger, Gateway } from "@sluice/gateway";
import { createBalancedBackend, loadDescriptorSets } from "@sluice/rpc";

/** The gateway as `sluice serve` makes it. Resolves to its port. */
export async function startSluice(backend: string, descriptors: string): Promise<number> {
  const gateway = new Gateway({
    upstreams: [
      {
        name: backend,
        backend: createBalancedBackend(backend),
        loadSchema: () => loadDescriptorSets([descriptors]),
      },
    ],
    log: createLogger("warn"),
  });
  const { port } = await gateway.start("127.0.0.1", 0);
  return port;
}
