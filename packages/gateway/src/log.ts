import { nameOfCode } from "@sluice/protocol";
import { pino, type Logger } from "pino";
import pretty from "pino-pretty";

export type { Logger };

/** The levels of the log, from the one that says most. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * The log of a running gateway, on standard error, because standard output belongs to the command: lines for a
 * person on a terminal, JSON elsewhere. Headers, queries and messages are never logged.
 */
export function createLogger(level: LogLevel): Logger {
  const options = { level, base: null };
  if (!process.stderr.isTTY) return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(
    options,
    pretty({
      destination: 2,
      sync: true,
      colorize: true,
      ignore: "pid,hostname",
      translateTime: "SYS:HH:MM:ss",
    }),
  );
}

/** The level at which a call's end is logged: failures of the system loud, those of the client quiet. */
export function levelOfStatus(code: number): "debug" | "info" | "warn" {
  switch (nameOfCode(code)) {
    case "OK":
      return "debug";
    case "UNKNOWN":
    case "INTERNAL":
    case "UNAVAILABLE":
    case "DATA_LOSS":
    case "DEADLINE_EXCEEDED":
      return "warn";
    default:
      return "info";
  }
}
