export { Gateway, type GatewayCounts, type GatewayOptions } from "./gateway.ts";
export { createLogger, type Logger, type LogLevel } from "./log.ts";
export { defaultListenerLimits, type ListenerLimits } from "./listener/limits.ts";
export type { ListenerCounts } from "./listener/listener.ts";
