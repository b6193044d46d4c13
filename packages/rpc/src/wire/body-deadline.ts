import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";

/** Milliseconds for the body of a request to a method that takes one message, where nothing else is said. */
export const defaultBodyMs = 300_000;

/** The status for a body that took longer. */
export function lateBody(bodyMs: number): Status {
  const what = `the body of the request has not come within ${bodyMs} milliseconds`;
  return createStatus(Code.DEADLINE_EXCEEDED, what);
}
