import { nameOfCode } from "@sluice/protocol";
import type { CallReport } from "@sluice/rpc";
import { levelOfStatus, type Logger } from "./log.ts";

/** Tells the log how a call ended. */
export function logCall(log: Logger, report: CallReport): void {
  const { cause, code, message } = report.status;
  const level = levelOfStatus(code);
  if (!log.isLevelEnabled(level)) return;
  log[level](
    {
      dialect: report.dialect,
      method: report.method?.path,
      status: nameOfCode(code),
      ms: Math.round(report.duration),
      ...(cause === undefined ? {} : { err: cause }),
    },
    // What is wrong with a request may quote it.
    message === "" || level !== "warn" ? report.target : `${report.target}: ${message}`,
  );
}
