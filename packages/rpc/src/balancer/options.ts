import type { Http2BackendOptions } from "../backend/options.ts";
import type { HealthOptions } from "./health-watch.ts";
import type { ResolutionOptions } from "./name-resolution.ts";
import type { OutlierOptions } from "./outlier-detection.ts";
import type { PolicyName } from "./policy.ts";
import type { RetryOptions } from "./retry-policy.ts";

/**
 * What can be set for a backend of several addresses. Those of a single backend hold for each address; but
 * `maxWaitingCalls` is also how many calls may wait for an address at all, and `authority` and `tls.servername`
 * are the looked-up name by default.
 */
export interface BalancedBackendOptions extends Http2BackendOptions {
  /** Which address gets a call. Default: `round_robin`. */
  readonly policy?: PolicyName;
  /** How a `dns:///` name is kept up to date. */
  readonly resolution?: ResolutionOptions;
  /** Asks the addresses for their health. Default: one that is connected is healthy. */
  readonly health?: HealthOptions;
  /** Takes addresses out whose calls go wrong. Default: none is. */
  readonly outlier?: OutlierOptions;
  /** Tries calls again on another address. Default: only what no server has looked at. */
  readonly retry?: RetryOptions;
  /**
   * Milliseconds that calls may still run on an address that the name has no longer. Default: as long as they
   * like.
   */
  readonly drainMs?: number;
}
