import type { AnswerListener } from "./answer.ts";
import type { Drop } from "./drop.ts";
import type { Message } from "./message.ts";
import type { Session } from "./session.ts";

/** How a session, or the link of one, ended. */
export interface Disconnection {
  /** The close code; 1006 for a link that was lost without one. */
  readonly code: number;
  readonly reason: string;
  /** Whether one of both sides ended it on purpose. */
  readonly clean: boolean;
}

/** How a session went on. */
export interface Resumption {
  /** Whether the client is given everything that it missed; false if rooms of other policies than `close` dropped some. */
  readonly recovered: boolean;
  /** Milliseconds for which it had no link; 0 if the new link took the place of a living one. */
  readonly missedMs: number;
}

/** A session that came to a room with presence, or left it. */
export interface RoomChange {
  readonly room: string;
  readonly session: Session;
  readonly change: "joined" | "left";
}

/** What a handler answers: it does not matter, but the rejection of a promise goes to `onError`. */
export type Handled = unknown;

/** What a hub tells, by event. */
export interface HubEvents {
  connect: [session: Session];
  disconnect: [session: Session, disconnection: Disconnection];
  message: [session: Session, text: string, message: Message];
  messageBinary: [session: Session, bytes: Uint8Array, message: Message];
  receive: [session: Session, message: Message, answer: AnswerListener];
  sentMessage: [session: Session, text: string];
  sentMessageBinary: [session: Session, bytes: Uint8Array];
  drain: [session: Session];
  pong: [session: Session];
  close: [session: Session, code: number, reason: string];
  away: [session: Session];
  resume: [session: Session, resumption: Resumption];
  drop: [session: Session, drop: Drop];
  room: [change: RoomChange];
}
