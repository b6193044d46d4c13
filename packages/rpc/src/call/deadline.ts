import { Code } from "@sluice/protocol";
import type { CallStart } from "./call.ts";
import { createStatus, type Status } from "./status.ts";

/** The status of a call whose deadline has passed; `where` goes on: "before the answer of the backend". */
export function deadlineStatus({ timeout = 0, timeoutOrigin }: CallStart, where: string): Status {
  const origin = timeoutOrigin === undefined ? "" : ` (${timeoutOrigin})`;
  return createStatus(
    Code.DEADLINE_EXCEEDED,
    `the deadline of ${Math.ceil(timeout)} ms${origin} passed ${where}`,
  );
}
