/** The gateway of the soak, as `sluice serve` makes it: the argument is its sluice.yaml. */
import { backendSources } from "../../src/config/backend-sources.ts";
import { gatewayOptions } from "../../src/config/gateway-options.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { sessionOptions } from "../../src/config/session-options.ts";
import { createLogger, Gateway } from "../../src/index.ts";
import { callbackSource } from "../../src/session-host/callback-source.ts";
import { upstreamFromSource } from "../../src/upstream-source.ts";
import type { GatewayHoldings, GatewayPorts } from "./gateway.ts";

const [file = ""] = process.argv.slice(2);
const loaded = loadConfig({ file, environment: {} });
const { listen, log } = loaded.config;
const sessions = sessionOptions(loaded);
const gateway = new Gateway({
  ...gatewayOptions(loaded),
  ...(sessions === undefined ? {} : { sessions }),
  upstreams: backendSources(loaded).map(callbackSource).map(upstreamFromSource),
  log: createLogger(log.level),
});
const { port } = await gateway.start(listen.host, listen.port);

process.on("message", () => {
  globalThis.gc?.();
  const { connections, sessions: counts } = gateway.counts;
  const holdings: GatewayHoldings = {
    sessions: counts?.open ?? 0,
    connections,
    heapBytes: process.memoryUsage().heapUsed,
  };
  process.send?.(holdings);
});
process.on("disconnect", () => process.exit());
process.send?.({ port, pushPort: gateway.pushAddress?.port ?? port } satisfies GatewayPorts);
