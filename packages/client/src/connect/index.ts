export { createTransport } from "./create-transport.ts";
export type { MultiplexTransport, TransportOptions } from "./create-transport.ts";
