import type { ClientRequest } from "./attachment.ts";
import type { Identity } from "./identity.ts";
import type { Delivery } from "./delivery.ts";
import type { Position } from "./publication.ts";

/** Where a session is: being let in, with a link, waiting for its client to return, or over. */
export type SessionPhase = "opening" | "connected" | "away" | "closed";

/** How to join a room. */
export interface JoinOptions {
  /** Where the client was in the room's history: what came since is delivered first. Default: what comes from now on. */
  readonly since?: Position;
}

/** A room that was joined. */
export interface JoinResult extends Position {
  readonly room: string;
  /** The room's epoch; empty where it keeps no history. */
  readonly epoch: string;
  /** The room's newest publication; what comes next is the one after it. 0 where the room keeps no history. */
  readonly offset: number;
  /** False if `since` was given and what came since is not all there; then none of it is delivered. */
  readonly recovered: boolean;
}

/** How to publish. */
export interface PublishOptions {
  /**
   * The id of a session that is not to be given it, now or when it recovers. A session that takes its place later has
   * another id, and is given it with the history. Default: nobody.
   */
  readonly except?: string;
  /** Makes the same publication, tried again, be published once. */
  readonly idempotencyKey?: string;
  /** Publishes only if the room's history is of this epoch; else `ABORTED`. */
  readonly expectedEpoch?: string;
}

/** What is asked of a room's history. */
export interface HistoryOptions {
  /** Only what came after it; in reverse, only what came before it. Default: all. */
  readonly since?: Position;
  /** Publications at most. Default, and at most: `HubLimits.historyPage`. */
  readonly limit?: number;
  /** The newest first. Default: false. */
  readonly reverse?: boolean;
}

/** Keys and values that belong to a session, bounded by `HubLimits.stateEntries` and `stateBytes`. */
export interface SessionState {
  readonly size: number;
  get(key: string): string | undefined;
  has(key: string): boolean;
  /** Throws a `HubError` `RESOURCE_EXHAUSTED` over a limit, and changes nothing then. */
  set(key: string, value: string): void;
  /** Answers whether it was there. */
  delete(key: string): boolean;
  entries(): IterableIterator<[string, string]>;
}

/** One client's long conversation. */
export interface Session {
  /** 22 characters that nobody can guess and that tell nothing. */
  readonly id: string;
  /** A number above 0 and below 2^32 that no other session of this node has while this one lives. */
  readonly number: number;
  /** Whose it is; empty for nobody in particular. */
  readonly user: string;
  /** Who the client is, as it was found out at last; `undefined` for nobody. */
  readonly identity: Identity | undefined;
  /** What else is known of the client; empty for nobody. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the client asked for when the session began. */
  readonly request: ClientRequest;
  /** What the application keeps with it. */
  readonly state: SessionState;
  /** The rooms that it is in, or about to be. */
  readonly rooms: ReadonlySet<string>;
  readonly phase: SessionPhase;
  /** The name of the face of its link, or of its last one. */
  readonly face: string;
  /** When it began, in milliseconds since 1970. */
  readonly connectedAt: number;
  /** How many links it has had. */
  readonly generation: number;
  /** Whether it is over. */
  readonly isClosed: boolean;

  /**
   * Sends to the client, after everything that was sent before. Answers whether to go on. After false, it waits or was
   * dropped; `Hub.onDrain` tells when all has left. A face may send what is a delivery of its own.
   */
  send(data: string | Uint8Array | Delivery): boolean;
  /**
   * Joins a room. Resolves when each publication from the answer's position on will be delivered; what was recovered is
   * on its way before them. Of a room that it is in already, answers where that is, `recovered`. Rejects with a `HubError`.
   */
  join(room: string, options?: JoinOptions): Promise<JoinResult>;
  /**
   * Leaves a room; nothing more of it is delivered, and what waits is dropped. What was given to the link before counts
   * as delivered: a client that comes back without having had it is sent it again. Harmless if it is not in it.
   */
  leave(room: string): Promise<void>;
  /**
   * Ends the session: what was sent goes first, then its link is closed. `code` is 1000 by default, see `CloseCode`; the
   * reason has at most 123 bytes. Harmless if it is over.
   */
  close(code?: number, reason?: string): void;
  /** Changes who the client is, such as with a newer token. From then on, what a face knows of it does not count any more. */
  identify(identity: Identity): void;
  /** Asks the client for a sign of life; `Hub.onPong` is told of it. */
  ping(): void;
  /** Stops reading from the client; a few messages that are on their way may still come. */
  pause(): void;
  /** Reads on. */
  resume(): void;
}
