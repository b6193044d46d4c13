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
