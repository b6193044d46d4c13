import type { Refusal } from "./attachment.ts";
import type { Broker } from "./broker/broker.ts";
import type { Clock } from "./clock.ts";
import type { Identity } from "./identity.ts";
import type { HubLimits } from "./limits.ts";
import type { RoomRule } from "./room-options.ts";
import type { Session } from "./session.ts";

/** Whether a client is let in: nothing to let it in as it is, an identity to let it in as somebody, or a refusal. */
export type Admission = void | { readonly identity: Identity } | Refusal;

/**
 * Decides on a new client. The session is `opening`: it may be given state, messages and rooms. A client whose session
 * goes on with another link is not asked for again. What throws refuses with 1011.
 */
export type Admit = (session: Session) => Admission | Promise<Admission>;

/** What a client may ask for on its wire. */
export type ClientAction = "join" | "publish" | "presence" | "history" | "send";

/**
 * Decides whether a client may do something: with a room, or for `send` with the session of that id. What throws denies. Who may join may also recover what
 * was published before.
 */
export type Authorize = (
  session: Session,
  action: ClientAction,
  target: string,
) => boolean | Promise<boolean>;

/** What a hub is made of. */
export interface HubOptions {
  /** What carries rooms between nodes; the hub closes it. Default: a `MemoryBroker`, for one node. */
  readonly broker?: Broker;
  /** What each room is like; see `roomsByPattern`. Default: no history, no presence, slow sessions are closed. */
  readonly rooms?: RoomRule;
  /** Default: those of `defaultHubLimits`. */
  readonly limits?: Partial<HubLimits>;
  /** Milliseconds for which a session with a resume key survives its link. 0: none does. Default: 60,000. */
  readonly graceMs?: number;
  /** Where time comes from. Default: the clock of this process. */
  readonly clock?: Clock;
  /** Decides on each new client. Default: all are let in. */
  readonly admit?: Admit;
  /** Decides on what clients ask for on their wires; the application's own calls are not asked for. Default: nothing is allowed. */
  readonly authorize?: Authorize;
}
