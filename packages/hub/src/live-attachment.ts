import type { AnswerListener } from "./answer.ts";
import type {
  Attached,
  Attachment,
  AttachResult,
  JoinFailure,
  Loss,
  ReceiveInit,
  Refusal,
} from "./attachment.ts";
import type { HistoryPage, Published } from "./broker/broker.ts";
import { CloseCode } from "./close-code.ts";
import type { Core } from "./core.ts";
import type { Link } from "./face.ts";
import { HubError } from "./hub-error.ts";
import type { ClientAction } from "./hub-options.ts";
import type { LiveSession } from "./live-session.ts";
import { Message, type MessageInit } from "./message.ts";
import type { Presence } from "./presence.ts";
import type { Position } from "./publication.ts";
import type { HistoryOptions, JoinOptions, JoinResult, PublishOptions } from "./session.ts";

/** One link of a session. Everything that its client wants comes through here, and is checked here. */
export class LiveAttachment implements Attachment {
  readonly session: LiveSession;
  readonly link: Link;
  readonly #core: Core;
  /** From when on it may want as much at once as any client; see `RateLimit`. */
  #full = 0;
  /** Told what became of the client, until it is known. */
  #settle: ((result: AttachResult) => void) | undefined;

  constructor(core: Core, session: LiveSession, link: Link, settle: (result: AttachResult) => void) {
    this.#core = core;
    this.session = session;
    this.link = link;
    this.#settle = settle;
  }

  receive(data: string | Uint8Array, init: ReceiveInit = {}): void {
    const { session } = this;
    if (!this.#isCurrent || !this.#take()) return;
    const message = new Message({ ...init, data, from: session.number });
    const { limits, events, tally } = this.#core;
    if (message.contentBytes > limits.messageBytes) {
      session.end({
        code: CloseCode.TOO_BIG,
        reason: `a message has at most ${limits.messageBytes} bytes`,
        clean: true,
      });
      return;
    }
    tally.received++;
    if (typeof data === "string") events.emit("message", session, session, data, message);
    else events.emit("messageBinary", session, session, data, message);
    if (events.answers) events.emit("receive", session, session, message, onlyFirst(init.answer));
    else init.answer?.({ ok: true });
  }

  received(count: number): void {
    if (!this.#isCurrent || this.session.resumeKey === "") return;
    const { sender } = this.session;
    if (Number.isSafeInteger(count) && count >= 0 && count <= sender.sent) sender.trim(count);
    else this.session.close(CloseCode.MALFORMED, `received ${count} of ${sender.sent} deliveries`);
  }

  drained(): void {
    if (this.#isCurrent && this.#settle === undefined) this.session.drained();
  }

  pong(): void {
    if (this.#isCurrent) this.#core.events.emit("pong", this.session, this.session);
  }

  lost(loss: Loss): void {
    if (!this.#isCurrent) return;
    if (loss.clean) this.#core.events.emit("close", this.session, this.session, loss.code, loss.reason);
    if (this.#isCurrent) this.session.detach(loss);
    this.end({ code: loss.code, reason: loss.reason }, true);
  }

  async join(room: string, options: JoinOptions = {}): Promise<JoinResult> {
    this.#count();
    return this.#join(room, options.since);
  }

  async leave(room: string): Promise<void> {
    this.#count();
    await this.session.leave(room);
  }

  async publish(room: string, message: MessageInit, options: PublishOptions = {}): Promise<Published> {
    this.#count();
    await this.#authorize("publish", room);
    return this.#core.rooms.publish(room, new Message({ ...message, from: this.session.number }), options);
  }

  async presence(room: string): Promise<Presence> {
    this.#count();
    await this.#authorize("presence", room);
    if (this.#core.rooms.optionsOf(room).presence !== true) {
      throw new HubError("FAILED_PRECONDITION", `The room "${room}" has no presence.`);
    }
    return this.#core.rooms.presence(room);
  }

  async history(room: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    this.#count();
    await this.#authorize("history", room);
    return this.#core.rooms.history(room, options);
  }

  async say(number: number, message: MessageInit): Promise<void> {
    this.#count();
    const said = new Message({ ...message, from: this.session.number });
    this.#core.rooms.validateMessage(said);
    const addressee = this.#core.sessions.byNumber(number);
    // Numbers follow each other: whoever may not speak to a session is not to learn which of them there are.
    const isAllowed =
      addressee !== undefined && isReachable(addressee) && (await this.#asks("send", addressee.id));
    if (!isAllowed || !isReachable(addressee)) {
      throw new HubError(
        "NOT_FOUND",
        `Nobody has the number ${number}, or this client may not speak to them.`,
      );
    }
    addressee.send(said);
  }

  /** Joins the rooms that were asked for with the request. Answers what became of each, in their order. */
  async joinAll(
    rooms: readonly { readonly room: string; readonly since?: Position }[],
  ): Promise<(JoinResult | JoinFailure)[]> {
    return Promise.all(
      rooms.map(({ room, since }) =>
        this.#join(room, since).catch((error: unknown) => {
          if (!(error instanceof HubError)) this.#core.events.error(this.session, error);
          return { room, error: HubError.from(error) };
        }),
      ),
    );
  }

  /** Lets the client know that it is let in; does nothing if it has gone meanwhile. The session is to be opened next. */
  greet(attached: Omit<Attached, "attachment">): void {
    const settle = this.#settle;
    if (!this.#isCurrent || settle === undefined) return;
    this.#settle = undefined;
    this.#core.opening.delete(this.session);
    const result = { attachment: this, ...attached };
    this.link.opened(result);
    settle(result);
    if (this.#isCurrent) this.session.sender.take(this.link);
  }

  /** Begins to send, once the client is greeted. Does nothing if it has gone. */
  open(): void {
    if (this.#isCurrent) this.session.open();
  }

  /** The session goes on without it, or not at all: a client that is not let in yet is refused. */
  end(refusal: Refusal, isLinkLost = false): void {
    const settle = this.#settle;
    this.#settle = undefined;
    if (settle !== undefined) {
      this.#core.tally.refused(refusal.code);
      settle(refusal);
    } else if (!isLinkLost) this.link.close(refusal.code, refusal.reason);
  }

  get #isCurrent(): boolean {
    return this.session.attachment === this;
  }

  async #join(room: string, since: Position | undefined): Promise<JoinResult> {
    await this.#authorize("join", room);
    return this.#core.rooms.join(this.session, room, since);
  }

  /** Counts something that the client wants; a client that wants too much is sent away. */
  #take(): boolean {
    const { rate, clock, limits } = this.#core;
    const full = rate.take(this.#full, clock.now());
    if (full !== undefined) {
      this.#full = full;
      return true;
    }
    const { messagesPerSecond } = limits;
    this.session.end({
      code: CloseCode.TOO_MANY,
      reason: `more than ${messagesPerSecond} messages a second`,
      clean: true,
    });
    return false;
  }

  #count(): void {
    if (!this.#isCurrent || !this.#take()) throw new HubError("FAILED_PRECONDITION", "The session is over.");
  }

  async #authorize(action: Exclude<ClientAction, "send">, target: string): Promise<void> {
    if (await this.#asks(action, target)) return;
    throw new HubError("PERMISSION_DENIED", `This client may not ${described[action]}.`);
  }

  /** Whether the client may do something. */
  async #asks(action: ClientAction, target: string): Promise<boolean> {
    const { authorize, events, tally } = this.#core;
    let isAllowed = false;
    try {
      isAllowed = authorize !== undefined && (await authorize(this.session, action, target));
    } catch (error) {
      events.error(this.session, error);
    }
    if (this.session.isClosed) throw new HubError("FAILED_PRECONDITION", "The session is over.");
    if (!isAllowed) tally.denied(action);
    return isAllowed;
  }
}

/** Whether something can be said to a session: it is let in, and not over. */
function isReachable({ phase }: LiveSession): boolean {
  return phase === "connected" || phase === "away";
}

function onlyFirst(listener: AnswerListener | undefined): AnswerListener {
  let isAnswered = false;
  return (answer) => {
    if (isAnswered) return;
    isAnswered = true;
    listener?.(answer);
  };
}

const described: Readonly<Record<Exclude<ClientAction, "send">, string>> = {
  join: "join this room",
  publish: "publish to this room",
  presence: "see who is in this room",
  history: "read the history of this room",
};
