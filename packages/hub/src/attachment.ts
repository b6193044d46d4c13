import type { AnswerListener } from "./answer.ts";
import type { HistoryPage, Published } from "./broker/broker.ts";
import type { Delivery } from "./delivery.ts";
import type { HubError } from "./hub-error.ts";
import type { Identity } from "./identity.ts";
import type { MessageInit } from "./message.ts";
import type { Position } from "./publication.ts";
import type { Presence } from "./presence.ts";
import type { HistoryOptions, JoinOptions, JoinResult, PublishOptions, Session } from "./session.ts";

/** What is known of a client that connects. */
export interface ClientRequest {
  /** The client's address. */
  readonly address: string;
  /** The path of the URL. */
  readonly path: string;
  /** The query of the URL as it came, without its question mark. */
  readonly query: string;
  /** Those headers that the application may see, by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a face asks for its client. */
export interface AttachRequest extends ClientRequest {
  /**
   * The id of the session where a new one begins: 16 to 128 characters that are printed, none of them a space, and a
   * secret. Refused with 4400 for another shape, and with 1013 while another session has it. Default: one is made up.
   */
  readonly id?: string;
  /** Who the client is, where the face or something before it has found out. Default: nobody. */
  readonly identity?: Identity;
  /** Which session the client wants to go on with. Default: a new one that ends with its link. */
  readonly resume?: ResumeRequest;
  /** The rooms to join at once; each is asked of `authorize`. Default: none. */
  readonly rooms?: readonly { readonly room: string; readonly since?: Position }[];
}

/** A session that shall outlive its link, or has done so. */
export interface ResumeRequest {
  /** The secret that the client made up for it: 22 to 128 characters of `A-Z a-z 0-9 _ -`. */
  readonly key: string;
  /** How many deliveries the client had since that session began; 0 for a new one. */
  readonly received: number;
  /**
   * For wires whose clients do not count but name what they had last: whether it was this delivery. It takes the place of
   * `received`, and is asked of those that are kept; where it is more than one, the session does not go on. Must not throw.
   */
  readonly isLast?: (delivery: Delivery) => boolean;
  /**
   * Whether a client that had something and cannot have the rest is refused with 4410, rather than given a new session:
   * for wires that have no word for `recovered: false`. Default: false.
   */
  readonly mustRecover?: boolean;
}

/** A client that was let in. */
export interface Attached {
  readonly attachment: Attachment;
  /** Whether a session goes on that was there before. */
  readonly resumed: boolean;
  /**
   * False if the client missed something that it will not be given: the session is gone that it had deliveries of, or
   * rooms whose policy is not `close` have dropped some.
   */
  readonly recovered: boolean;
  /** What became of each of the rooms that were asked for, in the same order. */
  readonly rooms: readonly (JoinResult | JoinFailure)[];
}

/** A room that could not be joined. */
export interface JoinFailure {
  readonly room: string;
  readonly error: HubError;
}

/** A client that was not let in. The face tells it; its link is not closed by the hub. */
export interface Refusal {
  /** A close code; see `CloseCode`. */
  readonly code: number;
  /** For people: at most 123 bytes. */
  readonly reason: string;
}

/** What became of a client. */
export type AttachResult = Attached | Refusal;

/** How a link ended. */
export interface Loss {
  /** The close code, 1006 where there was none. 1000 is a farewell: the session ends, whatever its resume key. */
  readonly code: number;
  readonly reason: string;
  /** Whether the client closed the link by the rules of its wire. */
  readonly clean: boolean;
}

/** What a client says of its message. */
export interface ReceiveInit extends Pick<MessageInit, "isJson" | "isList" | "type"> {
  /** Told at most once what the message came to, where the wire can say so to the client. Default: nobody is told. */
  readonly answer?: AnswerListener;
}

/**
 * What a face does with its session, on one link. Once another link has taken the session over, or the session is
 * closed, it does nothing any more.
 *
 * What a client asks for goes through `join`, `publish`, `presence`, `history` and `say`: they ask `authorize` first, and
 * reject with a `HubError` that may be shown to the client.
 */
export interface Attachment {
  readonly session: Session;
  /** The client said something to the backend. Over a limit, the session is closed. */
  receive(data: string | Uint8Array, init?: ReceiveInit): void;
  /** The client tells how many deliveries it has had, so that they need not be kept for it. */
  received(count: number): void;
  /** The link has room again, after a `send` that answered false. */
  drained(): void;
  /** The client gave the sign of life that `Link.ping` asked for. */
  pong(): void;
  /** The link has ended; told once. */
  lost(loss: Loss): void;
  /** The client wants to join a room. */
  join(room: string, options?: JoinOptions): Promise<JoinResult>;
  /** The client wants to leave a room. Nobody is asked whether it may. */
  leave(room: string): Promise<void>;
  /** The client wants to publish to a room; the message is from its session. */
  publish(room: string, message: MessageInit, options?: PublishOptions): Promise<Published>;
  /** The client wants to know who is in a room. */
  presence(room: string): Promise<Presence>;
  /** The client wants to know what was published to a room. */
  history(room: string, options?: HistoryOptions): Promise<HistoryPage>;
  /**
   * The client wants to say something to the session with a number; `authorize` is asked with that session's id. Rejects
   * with `NOT_FOUND` where it may not, and where nobody that was let in has the number, and does not say which.
   */
  say(number: number, message: MessageInit): Promise<void>;
}
