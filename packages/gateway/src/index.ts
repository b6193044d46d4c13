export { Gateway, type GatewayCounts, type GatewayOptions } from "./gateway.ts";
export type { DeadlineOptions } from "./deadlines.ts";
export { createLogger, type Logger, type LogLevel } from "./log.ts";
export type { UpstreamOptions } from "./upstream.ts";
export { defaultListenerLimits, type ListenerLimits } from "./listener/limits.ts";
export type { ListenerCounts } from "./listener/listener.ts";
export { growHeapFreely } from "./heap-growth.ts";
