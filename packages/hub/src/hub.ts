import type { AnswerListener } from "./answer.ts";
import type { AttachRequest, AttachResult } from "./attachment.ts";
import type { HistoryPage, Published } from "./broker/broker.ts";
import { CloseCode, validateClose } from "./close-code.ts";
import { Core } from "./core.ts";
import type { HubCounts } from "./counts.ts";
import type { Drop } from "./drop.ts";
import type { Link } from "./face.ts";
import type { Disconnection, Handled, Resumption, RoomChange } from "./handlers.ts";
import { HubError } from "./hub-error.ts";
import type { HubOptions } from "./hub-options.ts";
import type { HubLimits } from "./limits.ts";
import { Message, type MessageInit } from "./message.ts";
import type { Presence } from "./presence.ts";
import { Reception } from "./reception.ts";
import type { HistoryOptions, PublishOptions, Session } from "./session.ts";

/** To whom a broadcast goes. */
export interface BroadcastOptions {
  /** Only those for which it answers true. Default: all. */
  readonly filter?: (session: Session) => boolean;
  /** Not those. Default: nobody. */
  readonly except?: Session | readonly Session[];
}

/** What can be sent: a text, bytes, or all that a message can have. */
export type Sendable = string | Uint8Array | MessageInit;

/**
 * The sessions and rooms of one node. Sessions come from faces, such as `acceptInto` makes for WebSockets.
 *
 * Each `on…` adds a handler. Handlers are called synchronously, in the order in which things happened; what one throws or
 * rejects with goes to the handlers of `onError`, and no further.
 */
export class Hub {
  readonly #core: Core;
  readonly #reception: Reception;

  /** Throws a RangeError for limits and times that cannot be meant. */
  constructor(options: HubOptions = {}) {
    this.#core = new Core(options);
    this.#reception = new Reception(this.#core);
  }

  /** The limits that hold. */
  get limits(): HubLimits {
    return this.#core.limits;
  }

  /** The sessions that were let in, in the order in which they began. */
  get sessions(): IterableIterator<Session> {
    return this.#letIn();
  }

  /** How many `sessions` there are. */
  get size(): number {
    return this.#core.tally.open;
  }

  /** How many rooms have sessions of this node. */
  get roomCount(): number {
    return this.#core.rooms.size;
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#reception.isClosed;
  }

  /** Whether anybody is told of what clients say, by `onMessage`, `onMessageBinary` or `onReceive`. */
  get isHeard(): boolean {
    return this.#core.events.hears;
  }

  /** What it has done so far. */
  get counts(): HubCounts {
    return this.#core.tally.read(this.#core.events.errors);
  }

  /**
   * Lets a client in, or refuses it; for faces. Its link is told of the session at once, see `Link.opening`, and the
   * promise is resolved when it is decided. Never rejects.
   */
  attach(link: Link, request: AttachRequest): Promise<AttachResult> {
    return this.#reception.attach(link, request);
  }

  /** The session with an id, also while it is being let in. */
  session(id: string): Session | undefined {
    return this.#core.sessions.byId(id);
  }

  /** The session with a number, also while it is being let in. */
  sessionByNumber(number: number): Session | undefined {
    return this.#core.sessions.byNumber(number);
  }

  /** The sessions of a user, those that are being let in among them. */
  sessionsOf(user: string): readonly Session[] {
    return [...this.#core.sessions.byUser(user)];
  }

  /** Sends to all sessions of this node, or to some. Answers to how many. */
  broadcast(data: Sendable, { filter, except }: BroadcastOptions = {}): number {
    const message = Message.from(data);
    const excepted = except === undefined ? undefined : new Set<Session>("id" in except ? [except] : except);
    let count = 0;
    for (const session of this.#core.sessions.all()) {
      if (session.phase === "opening" || excepted?.has(session) === true) continue;
      if (filter !== undefined && !filter(session)) continue;
      session.sender.deliver(message);
      count++;
    }
    this.#core.tally.delivered += count;
    return count;
  }

  /** Sends to those sessions of this node for which the filter answers true. Answers to how many. */
  broadcastFilter(data: Sendable, filter: (session: Session) => boolean): number {
    return this.broadcast(data, { filter });
  }

  /** Sends to all sessions of this node but one. Answers to how many. */
  broadcastOthers(data: Sendable, session: Session): number {
    return this.broadcast(data, { except: session });
  }

  /** Sends to these sessions. Answers to how many of them, those that are over not counted. */
  broadcastMultiple(data: Sendable, sessions: Iterable<Session>): number {
    const message = Message.from(data);
    let count = 0;
    for (const session of sessions) {
      if (session.isClosed) continue;
      session.send(message);
      count++;
    }
    return count;
  }

  /**
   * Publishes to a room, on all nodes. Resolves when it is in the room's history; rejects with a `HubError`: `ABORTED` for
   * another epoch than the expected one, `INVALID_ARGUMENT` over a limit, `UNAVAILABLE` if the broker cannot.
   */
  async publish(room: string, data: Sendable, options: PublishOptions = {}): Promise<Published> {
    this.#validateOpen();
    return this.#core.rooms.publish(room, Message.from(data), options);
  }

  /** The sessions in a room, on this node; those that join or leave while they are gone through do no harm. */
  sessionsIn(room: string): IterableIterator<Session> {
    return this.#core.rooms.members(room);
  }

  /** Who is in a room, on this node. */
  presence(room: string): Presence {
    return this.#core.rooms.presence(room);
  }

  /** What was published to a room. Rejects with a `HubError`: `FAILED_PRECONDITION` if the room keeps no history. */
  async history(room: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    this.#validateOpen();
    return this.#core.rooms.history(room, options);
  }

  /** Ends all sessions, with 1001 by default, and then the broker. Whoever comes now is refused with 1001. */
  async close(code: number = CloseCode.GOING_AWAY, reason = ""): Promise<void> {
    validateClose(code, reason);
    if (this.isClosed) return;
    this.#reception.close();
    for (const session of this.#core.sessions.all()) session.close(code, reason);
    await this.#core.broker.close();
  }

  /** A client was let in. */
  onConnect(handler: (session: Session) => Handled): void {
    this.#core.events.on("connect", handler);
  }

  /** A session is over; called once for each `onConnect`. `session.rooms` are those that it was in. */
  onDisconnect(handler: (session: Session, disconnection: Disconnection) => Handled): void {
    this.#core.events.on("disconnect", handler);
  }

  /** A client said a text. The message has what else it said of it, and is from its session. */
  onMessage(handler: (session: Session, text: string, message: Message) => Handled): void {
    this.#core.events.on("message", handler);
  }

  /** A client said bytes. */
  onMessageBinary(handler: (session: Session, bytes: Uint8Array, message: Message) => Handled): void {
    this.#core.events.on("messageBinary", handler);
  }

  /**
   * A client said something, text or bytes; called after `onMessage` or `onMessageBinary`. `answer` tells the client what
   * came of it, where its wire can say so. Where nobody listens here, each message is answered as taken.
   */
  onReceive(handler: (session: Session, message: Message, answer: AnswerListener) => Handled): void {
    this.#core.events.on("receive", handler);
  }

  /** A text was given to a session's link. Who wants to know this of each message makes fan-out slower. */
  onSentMessage(handler: (session: Session, text: string) => Handled): void {
    this.#core.events.on("sentMessage", handler);
    this.#tellSent();
  }

  /** Bytes were given to a session's link. */
  onSentMessageBinary(handler: (session: Session, bytes: Uint8Array) => Handled): void {
    this.#core.events.on("sentMessageBinary", handler);
    this.#tellSent();
  }

  /** Nothing waits for the client any more, after `Session.send` has answered false. */
  onDrain(handler: (session: Session) => Handled): void {
    this.#core.events.on("drain", handler);
  }

  /** A client gave the sign of life that `Session.ping` asked for. */
  onPong(handler: (session: Session) => Handled): void {
    this.#core.events.on("pong", handler);
  }

  /**
   * Something failed: a handler, `admit`, `authorize`, a function that a face was given, or the broker. Where nobody is
   * told, Node prints it as a warning.
   */
  onError(handler: (session: Session | undefined, error: unknown) => void): void {
    this.#core.events.onError(handler);
  }

  /** Tells `onError` of something that failed; for faces, whose options may have functions that throw. */
  report(error: unknown, session?: Session): void {
    this.#core.events.error(session, error);
  }

  /** A client closed its link on purpose; `onAway` or `onDisconnect` follows. */
  onClose(handler: (session: Session, code: number, reason: string) => Handled): void {
    this.#core.events.on("close", handler);
  }

  /** A session has lost its link, and waits for another one. */
  onAway(handler: (session: Session) => Handled): void {
    this.#core.events.on("away", handler);
  }

  /** A client came back to its session. */
  onResume(handler: (session: Session, resumption: Resumption) => Handled): void {
    this.#core.events.on("resume", handler);
  }

  /** A session is not given something that it should have been. */
  onDrop(handler: (session: Session, drop: Drop) => Handled): void {
    this.#core.events.on("drop", handler);
  }

  /** A session came to a room with presence, or left it. */
  onRoom(handler: (change: RoomChange) => Handled): void {
    this.#core.events.on("room", handler);
  }

  *#letIn(): IterableIterator<Session> {
    for (const session of this.#core.sessions.all()) {
      if (session.phase !== "opening") yield session;
    }
  }

  #tellSent(): void {
    for (const session of this.#core.sessions.all()) session.sender.tellSent();
  }

  #validateOpen(): void {
    if (this.isClosed) throw new HubError("FAILED_PRECONDITION", "The hub is closed.");
  }
}
