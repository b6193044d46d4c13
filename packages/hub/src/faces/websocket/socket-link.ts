import type { Closed, PreparedMessage, WebSocketConnection } from "@sluice/websocket";
import type { Attached, Attachment, ClientRequest, Refusal } from "../../attachment.ts";
import type { Clock, Timer } from "../../clock.ts";
import { CloseCode } from "../../close-code.ts";
import type { Drop } from "../../drop.ts";
import type { Face, Link } from "../../face.ts";
import type { Hub } from "../../hub.ts";
import type { Client } from "../client.ts";
import { fittingReason } from "../closing.ts";
import { Expiry } from "../expiry.ts";
import { isRefusal } from "../refusal.ts";
import type { Conversation, Opener, Opening, Wire } from "./conversation.ts";

/** What all links of a server share. */
export interface SocketSurroundings {
  readonly hub: Hub;
  readonly clock: Clock;
  /** Milliseconds for the first message of a client of whom one is awaited. */
  readonly firstMessageMs: number;
}

/** Why a link does not read: bits, because there may be several reasons at a time. */
export const Pause = {
  /** The client is not let in yet. */
  OPENING: 1,
  /** The hub wants it. */
  HUB: 2,
  /** What the client asked for has to be done first. */
  COMMANDS: 4,
  /** The client does not read what it is answered. */
  ANSWERS: 8,
} as const;

/** For the first message of the client. */
interface Waiting {
  readonly name: "waiting";
  readonly opener: Opener;
}

type State =
  | Waiting
  | { readonly name: "asking"; attachment: Attachment | undefined }
  | { readonly name: "open"; readonly attachment: Attachment }
  | { readonly name: "closing"; readonly attachment: Attachment | undefined }
  | { readonly name: "closed" };

/** A WebSocket as the link of a session, whatever its wire. */
export class SocketLink<Frame = unknown> implements Link<Frame> {
  readonly face: Face<Frame>;
  readonly #connection: WebSocketConnection;
  readonly #surroundings: SocketSurroundings;
  readonly #request: ClientRequest;
  readonly #conversation: Conversation<Frame>;
  #state: State = { name: "asking", attachment: undefined };
  #pauses = 0;
  /** Runs until a first message that is awaited has come and was understood. */
  #patience: Timer | undefined;
  #expiry: Expiry | undefined;

  constructor(
    connection: WebSocketConnection,
    wire: Wire<Frame>,
    client: Client,
    surroundings: SocketSurroundings,
  ) {
    this.face = wire.face;
    this.#connection = connection;
    this.#surroundings = surroundings;
    this.#request = client.request;
    this.#conversation = wire.converse(this);
    const opener = wire.opener(client);
    if (opener.awaitsFirst) this.#awaitFirst(opener);
    else {
      this.pauseFor(Pause.OPENING);
      this.#open(opener.opening());
    }
  }

  get bufferedAmount(): number {
    return this.#connection.bufferedAmount + this.#conversation.heldBytes;
  }

  /** Whether the client is let in, and its link has not begun to end. */
  get isOpen(): boolean {
    return this.#state.name === "open";
  }

  opening(attachment: Attachment): void {
    if (this.#state.name === "asking") this.#state.attachment = attachment;
    else attachment.lost({ code: CloseCode.GOING_AWAY, reason: "the client left", clean: false });
  }

  opened(attached: Attached): void {
    if (this.#state.name !== "asking") return;
    this.#state = { name: "open", attachment: attached.attachment };
    this.#conversation.opened(attached);
    this.resumeFor(Pause.OPENING);
  }

  send(frame: Frame): boolean {
    return this.#state.name === "open" && this.#conversation.send(frame);
  }

  dropped(drop: Drop): void {
    if (this.#state.name === "open") this.#conversation.dropped(drop);
  }

  ping(): void {
    this.#connection.ping();
  }

  close(code: number, reason: string): void {
    const state = this.#state;
    if (state.name === "closing" || state.name === "closed") return;
    if (state.name === "open") this.#conversation.closing();
    this.#end();
    this.#state = { name: "closing", attachment: state.name === "waiting" ? undefined : state.attachment };
    this.#connection.close(code, fittingReason(reason));
    // The answer to the close frame is still to be read.
    this.#pauses = 0;
    this.#connection.resume();
  }

  pause(): void {
    this.pauseFor(Pause.HUB);
  }

  resume(): void {
    this.resumeFor(Pause.HUB);
  }

  /** Stops reading for one reason of `Pause`. */
  pauseFor(reason: number): void {
    if (this.#state.name === "closing" || this.#state.name === "closed") return;
    if (this.#pauses === 0) this.#connection.pause();
    this.#pauses |= reason;
  }

  /** Takes back one reason, and reads on when there is no other. */
  resumeFor(reason: number): void {
    if ((this.#pauses & reason) === 0) return;
    this.#pauses &= ~reason;
    if (this.#pauses === 0) this.#connection.resume();
  }

  /** Sends a message past the hub, such as an answer; answers whether to go on. */
  write(message: string | Uint8Array | PreparedMessage): boolean {
    return this.#connection.send(message);
  }

  /** The client broke a rule of its wire: its session is over. */
  fail({ code, reason }: Refusal): void {
    if (this.#state.name === "open") this.#state.attachment.session.close(code, fittingReason(reason));
    this.close(code, reason);
  }

  /** When what the client has proven of itself is over, in milliseconds since 1970; its link is closed then with 4401. */
  expiresAt(at: number | undefined): void {
    if (at === undefined && this.#expiry === undefined) return;
    this.#expiry ??= new Expiry(this.#surroundings.clock, () => this.#expired());
    this.#expiry.set(at);
  }

  /** A message of the client. */
  receive(data: Buffer, isBinary: boolean): void {
    const state = this.#state;
    if (state.name === "open") this.#conversation.receive(state.attachment, data, isBinary);
    else if (state.name === "waiting") this.#receiveFirst(state, data, isBinary);
  }

  /** Everything has left the connection. */
  drained(): void {
    if (this.#state.name === "open" && this.#conversation.drained()) this.#state.attachment.drained();
  }

  /** The client answered a ping. */
  pong(): void {
    if (this.#state.name === "open") this.#state.attachment.pong();
  }

  /** The connection has ended. */
  ended({ code, reason, clean }: Closed): void {
    const state = this.#state;
    if (state.name === "closed") return;
    this.#end();
    this.#state = { name: "closed" };
    if (state.name !== "waiting") state.attachment?.lost({ code, reason, clean });
  }

  #awaitFirst(opener: Opener): void {
    const { clock, firstMessageMs } = this.#surroundings;
    const reason = `who the client is was not known within ${firstMessageMs} ms`;
    this.#patience = clock.after(firstMessageMs, () => this.fail({ code: CloseCode.TIMEOUT, reason }));
    this.#state = { name: "waiting", opener };
  }

  #receiveFirst({ opener }: Waiting, data: Buffer, isBinary: boolean): void {
    this.#state = { name: "asking", attachment: undefined };
    this.pauseFor(Pause.OPENING);
    const opening = opener.first(data, isBinary);
    if (opening instanceof Promise) void opening.then((found) => this.#open(found));
    else this.#open(opening);
  }

  #open(opening: Opening | Refusal): void {
    if (this.#state.name !== "asking") return;
    if (isRefusal(opening)) {
      this.fail(opening);
      return;
    }
    this.#patience?.cancel();
    this.expiresAt(opening.identity?.expiresAt);
    void this.#surroundings.hub.attach(this, { ...this.#request, ...opening }).then((result) => {
      if (isRefusal(result)) this.fail(result);
    });
  }

  /** Its session waits for the client to return with a new proof, where it is one that waits. */
  #expired(): void {
    const state = this.#state;
    const loss = { code: CloseCode.UNAUTHENTICATED, reason: "the token has expired", clean: true };
    this.close(loss.code, loss.reason);
    if (state.name !== "open") return;
    this.#state = { name: "closing", attachment: undefined };
    state.attachment.lost(loss);
  }

  /** Nothing happens by itself any more. */
  #end(): void {
    this.#patience?.cancel();
    this.#expiry?.set(undefined);
  }
}
