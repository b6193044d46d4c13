import type { Identity } from "../identity.ts";
import type { Session } from "../session.ts";

/** Who a client is, and for how long. */
export interface TimedIdentity extends Identity {
  /** From when on that is not proven any more, in milliseconds since 1970. Default: never. */
  readonly expiresAt?: number;
}

/**
 * Says who has a token; rejects where it is worth nothing. The client is told the message of a `HubError`, and of any
 * other error only that its token is not valid. A `HubError` `UNAVAILABLE` asks it to try again later. A client that is
 * connected and renews its proof is given with its session.
 */
export type Identify = (token: string, session?: Session) => Promise<TimedIdentity>;
