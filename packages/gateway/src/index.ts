export { Gateway, type GatewayOptions } from "./gateway.ts";
export { createLogger, type Logger, type LogLevel } from "./log.ts";
