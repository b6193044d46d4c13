import type { SessionHostOptions } from "../src/session-host/options.ts";

/** Options of sessions without a face, and with nothing special of any kind. */
export const plainSessions = {
  sockets: [],
  rooms: {},
  direct: "nobody",
  headers: [],
  limits: {},
  envelopeBytes: 65_536,
  packetsPerMessage: 64,
  graceMs: 1_000,
} satisfies SessionHostOptions;
