import { nameOfCode } from "@sluice/protocol";
import type { Logger } from "../log.ts";
import type { CallbackReport } from "../sessions/callbacks/options.ts";

/** Tells the log what happened at the callbacks to a backend. */
export function logCallbackReport(log: Logger, backend: string, report: CallbackReport): void {
  switch (report.kind) {
    case "away":
      log.warn(`${backend} does not answer callbacks; sessions stay, and it is tried again`);
      break;
    case "back":
      log.info(`${backend} answers callbacks again`);
      break;
    case "failed":
    case "given_up": {
      const { session, status } = report;
      const what = report.kind === "failed" ? `${report.hook} has failed` : "a Disconnect was given up";
      log.info(
        { session: session.id, status: nameOfCode(status.code) },
        `${what} at ${backend}: ${status.message}`,
      );
      break;
    }
    case "effect": {
      const { session, effect, problem, cause } = report;
      log.warn(
        { session: session.id, ...(cause === undefined ? {} : { err: cause }) },
        `an effect of ${backend}, ${effect}, could not be carried out: ${problem}`,
      );
      break;
    }
    case "stray":
      log.warn(`${backend}: ${report.problem}`);
  }
}
