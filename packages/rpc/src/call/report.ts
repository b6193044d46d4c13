import type { Method } from "../schema/method.ts";
import type { Status } from "./status.ts";

/** What a dialect reports of a request when it has ended, for logs and counters. */
export interface CallReport {
  readonly dialect: string;
  /** Undefined where no method was found. */
  readonly method: Method | undefined;
  /** What the client asked for, without its query: `GET /v1/orders/42`. */
  readonly target: string;
  readonly status: Status;
  /** Milliseconds from the request's head to its end. */
  readonly duration: number;
}
