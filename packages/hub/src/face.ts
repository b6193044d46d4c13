import type { Attachment, Attached } from "./attachment.ts";
import type { Drop } from "./drop.ts";
import type { Message } from "./message.ts";
import type { Publication } from "./publication.ts";

/**
 * A wire on which sessions are held; one object for each kind of wire and encoding, shared by all its links. What it
 * makes of a message or a publication is made once, and given to all links of the face.
 */
export interface Face<Frame = unknown> {
  /** Its name, such as `websocket`. */
  readonly name: string;
  /** The frame of a message to a session. */
  message(message: Message): Frame;
  /** The frame of a publication. */
  publication(publication: Publication): Frame;
}

/** One client's socket, as the hub sees it. The hub calls it synchronously; none of its methods may throw. */
export interface Link<Frame = unknown> {
  readonly face: Face<Frame>;
  /**
   * The hub has begun to look at the client; called once, within `Hub.attach`. From here on, `lost` is to be told when
   * the client goes.
   */
  opening(attachment: Attachment): void;
  /**
   * The client is let in; called once, before the first frame. A wire that greets its client does so here. The promise
   * of `Hub.attach` is resolved with the same.
   */
  opened(attached: Attached): void;
  /**
   * Sends a frame. Answers whether to go on; after false, the hub keeps what comes until `Attachment.drained` is called,
   * but may still send. A link that is closed answers false. `drained` is not called from within it.
   */
  send(frame: Frame): boolean;
  /**
   * Something that the client should have had, it will not be given; called before what comes after the gap. A wire
   * that has words for that says so.
   */
  dropped(drop: Drop): void;
  /**
   * The session is in a room from now on, or is not any more; for wires that show clients their rooms. It is not told of
   * rooms that the session was in before this link, nor of those that it leaves because it is over.
   */
  roomChanged?(room: string, isIn: boolean): void;
  /** Bytes that wait for the client in this process. */
  readonly bufferedAmount: number;
  /** Asks the client for a sign of life; `Attachment.pong` is the answer. */
  ping(): void;
  /** Ends the link once everything that was sent has left. `lost` may follow; the hub does not wait for it. */
  close(code: number, reason: string): void;
  /** Stops reading from the client. */
  pause(): void;
  /** Reads on. */
  resume(): void;
}
