import type { WallClock } from "./clock.ts";

/** What identity logs: that the key set cannot be fetched, or is wrong, or is back. A logger of pino is one. */
export interface IdentityLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What identity needs beside its options. */
export interface IdentityEnvironment {
  /** Default: the clock of this machine. */
  readonly clock?: WallClock;
  /** Default: nothing is logged. */
  readonly log?: IdentityLog;
}

/** The log of who wants none. */
export const noLog: IdentityLog = { info: () => undefined, warn: () => undefined };
