import type { AttachRequest, AttachResult } from "./attachment.ts";
import type { HistoryPage, Published } from "./broker/broker.ts";
import type { HubCounts } from "./counts.ts";
import type { Link } from "./face.ts";
import type { Disconnection, Handled, Resumption, RoomChange } from "./handlers.ts";
import type { HubOptions } from "./hub-options.ts";
import type { HubLimits } from "./limits.ts";
import type { Drop } from "./drop.ts";
import type { Message, MessageInit } from "./message.ts";
import type { Presence } from "./presence.ts";
import type { HistoryOptions, PublishOptions, Session } from "./session.ts";

/** To whom a broadcast goes. */
export interface BroadcastOptions {
  /** Only those for which it answers true. Default: all. */
  readonly filter?: (session: Session) => boolean;
  /** Not those. Default: nobody. */
  readonly except?: Session | readonly Session[];
}

/** The sessions and rooms of one node. */
export declare class Hub {
  constructor(options?: HubOptions);
  readonly limits: HubLimits;
  get sessions(): IterableIterator<Session>;
  get size(): number;
  get isClosed(): boolean;
  get counts(): HubCounts;
  attach(link: Link, request: AttachRequest): Promise<AttachResult>;
  session(id: string): Session | undefined;
  sessionByNumber(number: number): Session | undefined;
  sessionsOf(user: string): readonly Session[];
  broadcast(data: string | Uint8Array | MessageInit, options?: BroadcastOptions): number;
  broadcastFilter(data: string | Uint8Array | MessageInit, filter: (session: Session) => boolean): number;
  broadcastOthers(data: string | Uint8Array | MessageInit, session: Session): number;
  broadcastMultiple(data: string | Uint8Array | MessageInit, sessions: Iterable<Session>): number;
  publish(
    room: string,
    data: string | Uint8Array | MessageInit,
    options?: PublishOptions,
  ): Promise<Published>;
  presence(room: string): Presence;
  history(room: string, options?: HistoryOptions): Promise<HistoryPage>;
  close(code?: number, reason?: string): Promise<void>;
  onConnect(handler: (session: Session) => Handled): void;
  onDisconnect(handler: (session: Session, disconnection: Disconnection) => Handled): void;
  onMessage(handler: (session: Session, text: string, message: Message) => Handled): void;
  onMessageBinary(handler: (session: Session, bytes: Uint8Array, message: Message) => Handled): void;
  onSentMessage(handler: (session: Session, text: string) => Handled): void;
  onSentMessageBinary(handler: (session: Session, bytes: Uint8Array) => Handled): void;
  onDrain(handler: (session: Session) => Handled): void;
  onPong(handler: (session: Session) => Handled): void;
  onError(handler: (session: Session | undefined, error: unknown) => void): void;
  onClose(handler: (session: Session, code: number, reason: string) => Handled): void;
  onAway(handler: (session: Session) => Handled): void;
  onResume(handler: (session: Session, resumption: Resumption) => Handled): void;
  onDrop(handler: (session: Session, drop: Drop) => Handled): void;
  onRoom(handler: (change: RoomChange) => Handled): void;
}
