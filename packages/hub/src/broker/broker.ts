import type { Message } from "../message.ts";
import type { Position, Publication } from "../publication.ts";
import type { HistoryBounds } from "../room-options.ts";

/** What a broker is to publish. */
export interface PublishRequest {
  readonly room: string;
  readonly message: Message;
  /** How much of the room to keep. Absent: nothing; the publication has offset 0 and no epoch. */
  readonly history?: HistoryBounds;
  /** Makes the same publication, tried again, be published once. */
  readonly idempotencyKey?: string;
  /** Publishes only if the room's history is of this epoch; else rejects with a `HubError` `ABORTED`. Needs `history`. */
  readonly expectedEpoch?: string;
  /** The id of a session that is not to be given the publication. */
  readonly except?: string;
}

/** What became of a publication. */
export interface Published extends Position {
  /** Whether it had been published before, under the same idempotency key; then the position is that of the first. */
  readonly duplicate: boolean;
}

/** What is asked of a room's history. */
export interface HistoryRequest {
  /** Only what came after it; in reverse, only what came before it. */
  readonly since?: Position;
  /** Publications at most; 0 asks for the position alone. */
  readonly limit: number;
  /** The newest first. Default: false. */
  readonly reverse?: boolean;
}

/** A part of a room's history. */
export interface HistoryPage extends Position {
  /** The room's epoch; empty where it has no history. */
  readonly epoch: string;
  /** The offset of the newest publication of the room, whether or not it is still kept; 0 before the first. */
  readonly offset: number;
  /** In the order that was asked for. */
  readonly publications: readonly Publication[];
  /**
   * Whether nothing is missing between `since` and the last of these. False where `since` is of another epoch, is newer
   * than the newest, or older than what is kept. A page that `limit` cut short is complete: the next begins where it ends.
   */
  readonly complete: boolean;
}

/** Is given each publication of the rooms that a node subscribed to. */
export type BrokerReceiver = (publication: Publication) => void;

/**
 * Carries rooms between nodes, and keeps their histories. One broker object serves one hub.
 *
 * A broker:
 * - MUST give each publication of a room with history the offset after that of the one before it, the first 1, in one
 *   atomic step with keeping it and with looking up its idempotency key. Two nodes never see two orders.
 * - MUST give a history whose offsets begin anew another epoch, unguessable from the one before: after a restart, or once
 *   a room is forgotten. MUST NOT forget a room that any node subscribes to.
 * - MUST give a receiver the publications of one node's room in the order of their offsets, but MAY leave some out or
 *   give some twice: the hub finds holes by the offsets, fills them from `history`, and passes by what it had.
 * - MUST NOT give a receiver what was published before `subscribe` was called or after `unsubscribe` has resolved.
 * - MAY call the receiver before `publish` resolves, and from within `publish`.
 * - MUST call `interrupted` after any time in which it may have missed publications, once it receives them again.
 * - MUST reject with an error, and not hang, what it cannot do: the hub tells it as `UNAVAILABLE`.
 */
export interface Broker {
  /**
   * Called once, before everything else: who is given what comes, and who is told that something may not have come.
   * The receiver never throws.
   */
  attach(receiver: BrokerReceiver, interrupted: () => void): void;
  /**
   * Resolves when publications of the room that are published from now on will be received; answers nothing where they are
   * at once. Calls for the same room MUST take effect in the order of their calls, those of `unsubscribe` among them.
   */
  subscribe(room: string): Promise<void> | undefined;
  /** Ends it. */
  unsubscribe(room: string): Promise<void>;
  /**
   * Publishes to all nodes that subscribed to the room. When it resolves, `history` MUST have the publication.
   * An idempotency key MUST be remembered for at least a minute, for its room alone.
   */
  publish(request: PublishRequest): Promise<Published>;
  /**
   * A part of a room's history. MUST NOT give what is older than the `ttlMs` or beyond the `size` of the room's last
   * publication. A room that this node subscribes to MUST be given an epoch by it, even before its first publication.
   */
  history(room: string, request: HistoryRequest): Promise<HistoryPage>;
  /** Ends everything. No receiver is called any more. */
  close(): Promise<void>;
}
