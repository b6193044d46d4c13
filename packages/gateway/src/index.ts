export { Gateway, type GatewayCounts, type GatewayOptions } from "./gateway.ts";
export type { DeadlineOptions } from "./deadlines.ts";
export { createLogger, type Logger, type LogLevel } from "./log.ts";
export type { UpstreamOptions } from "./upstream.ts";
export { defaultListenerLimits, type ListenerLimits } from "./listener/limits.ts";
export type { ListenerCounts } from "./listener/listener.ts";
export { growHeapFreely } from "./heap-growth.ts";
export type { SessionCounts } from "./session-host/session-host.ts";
export type {
  ClientAccess,
  HostedCallbacks,
  HostedPush,
  HostedRoom,
  HostedSockets,
  SessionHostOptions,
} from "./session-host/options.ts";
