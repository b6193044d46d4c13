import type { EngineLimits } from "./engine-options.ts";

/** What the first packet of a session says: its id, the transports that it may move to, and limits. */
export function encodeOpenData(sid: string, upgrades: readonly string[], limits: EngineLimits): string {
  const { pingInterval, pingTimeout, maxHttpBufferSize: maxPayload } = limits;
  return JSON.stringify({ sid, upgrades, pingInterval, pingTimeout, maxPayload });
}
