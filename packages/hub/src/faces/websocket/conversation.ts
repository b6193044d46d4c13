import type { Attached, Attachment, AttachRequest, ClientRequest, Refusal } from "../../attachment.ts";
import type { Drop } from "../../drop.ts";
import type { Face } from "../../face.ts";
import type { Client } from "../client.ts";
import type { TimedIdentity } from "../timed-identity.ts";
import type { SocketLink } from "./socket-link.ts";

/** What a client asks for at first, beside what its HTTP request says. */
export interface Opening extends Omit<AttachRequest, keyof ClientRequest | "identity"> {
  readonly identity?: TimedIdentity;
}

/** Finds out what a client asks for at first. */
export interface Opener {
  /** Whether the client has to say something before that is known. */
  readonly awaitsFirst: boolean;
  /** What the client asks for whose first message is not awaited. */
  opening(): Opening | Refusal;
  /** What the client asks for that says this at first. Never rejects. */
  first(data: Buffer, isBinary: boolean): Promise<Opening | Refusal> | Opening | Refusal;
}

/** How one link that is open speaks its wire. */
export interface Conversation<Frame> {
  /** Bytes that wait here, before the connection. */
  readonly heldBytes: number;
  /** The hub has let the client in. Called once, before everything else. */
  opened(attached: Attached): void;
  /** A message of the client. */
  receive(attachment: Attachment, data: Buffer, isBinary: boolean): void;
  /** Sends a frame, and answers whether to go on. */
  send(frame: Frame): boolean;
  /** The client will not be given something. */
  dropped(drop: Drop): void;
  /** Everything has left the connection; answers whether the hub may go on. */
  drained(): boolean;
  /** The link is closed next: what waits here leaves before. */
  closing(): void;
}

/** A face on WebSockets: how its frames are made, and how its links are spoken to. One object for all of them. */
export interface Wire<Frame> {
  readonly face: Face<Frame>;
  /** Bytes of one incoming message. */
  readonly maxMessageBytes: number;
  opener(client: Client): Opener;
  converse(link: SocketLink<Frame>): Conversation<Frame>;
}
