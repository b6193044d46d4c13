import type { DeadlineQueue } from "@sluice/hub";
import type { ResolvedEngineOptions } from "./engine-options.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { LiveSession } from "./live-session.ts";
import type { PollingOptions } from "./polling/polling-transport.ts";
import type { SessionHandlers } from "./session.ts";
import type { UpgradeProbe } from "./websocket/upgrade-probe.ts";

/** What all sessions of an engine share. */
export interface SessionHost {
  readonly options: ResolvedEngineOptions;
  readonly handlers: SessionHandlers;
  readonly heartbeat: Heartbeat;
  /** Ends probes that take too long. */
  readonly probes: DeadlineQueue<UpgradeProbe>;
  /** Ends sessions whose client does not poll for the last packets. */
  readonly closings: DeadlineQueue<LiveSession>;
  /** How a session polls; one object for all that are alike. */
  pollingOptions(revision: 3 | 4, base64: boolean): PollingOptions;
  /** A session has ended. */
  ended(session: LiveSession): void;
}
