import type { GatewayOptions } from "../gateway.ts";
import { pushSchema } from "../sessions/schemas.ts";
import type { UpstreamOptions } from "../upstream.ts";
import { PushPort, type PushPortOptions } from "./push-port.ts";
import type { SessionHost } from "./session-host.ts";

/** The push API as a backend like any other, so that it is served in every dialect, where it has no port of its own. */
export function pushUpstream(
  { sessions }: GatewayOptions,
  host: SessionHost | undefined,
): readonly UpstreamOptions[] {
  const backend = host?.push;
  if (backend === undefined || sessions?.push?.listen !== undefined) return [];
  return [{ name: "the push API", isOwn: true, backend, loadSchema: () => Promise.resolve(pushSchema()) }];
}

/** The port of the push API, where it has one of its own. Throws as the listener does. */
export function createPushPort(
  { sessions, rest = {}, log, limits, tls }: GatewayOptions,
  host: SessionHost | undefined,
  shared: Pick<PushPortOptions, "maxMessageBytes" | "bodyMs" | "report">,
): PushPort | undefined {
  const backend = host?.push;
  if (backend === undefined || sessions?.push?.listen === undefined) return undefined;
  return new PushPort({
    ...shared,
    backend,
    rest,
    log,
    isForThisMachine: sessions.push.tokens === "none",
    ...(limits === undefined ? {} : { limits }),
    ...(tls === undefined ? {} : { tls }),
  });
}
