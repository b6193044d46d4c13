import type { AttachRequest, AttachResult, ClientRequest, Loss, ResumeRequest } from "./attachment.ts";
import { BoundedState } from "./bounded-state.ts";
import { CloseCode, validateClose } from "./close-code.ts";
import type { Core } from "./core.ts";
import { Delivery } from "./delivery.ts";
import type { Link } from "./face.ts";
import type { Disconnection } from "./handlers.ts";
import type { Identity } from "./identity.ts";
import { LiveAttachment } from "./live-attachment.ts";
import { Message } from "./message.ts";
import { createSecret } from "./secret.ts";
import { Sender } from "./sender.ts";
import type { JoinOptions, JoinResult, Session, SessionPhase, SessionState } from "./session.ts";

/** The client is being let in, up to the deadline of `Core.opening`. */
interface Opening {
  readonly phase: "opening";
  readonly attachment: LiveAttachment;
}

interface Connected {
  readonly phase: "connected";
  readonly attachment: LiveAttachment;
}

/** The client may come back, up to the deadline of `Core.away`. */
interface Away {
  readonly phase: "away";
  readonly loss: Loss;
  /** By the clock. */
  readonly since: number;
}

interface Closed {
  readonly phase: "closed";
  readonly disconnection: Disconnection;
}

const nothing: Readonly<Record<string, unknown>> = Object.freeze({});
const noRooms: ReadonlySet<string> = new Set();

/** A session, as the hub has it. What most sessions do not need is made when it is needed. */
export class LiveSession implements Session {
  readonly id: string;
  readonly number: number;
  readonly request: ClientRequest;
  readonly connectedAt: number;
  /** User and key together; empty for a session that ends with its link. */
  readonly resumeKey: string;
  /** What goes out to the client. */
  readonly sender: Sender;
  readonly #core: Core;
  #phase: Opening | Connected | Away | Closed;
  #identity: Identity | undefined;
  /** Whether the application has said who the client is. */
  #isIdentified = false;
  #state: BoundedState | undefined;
  #rooms: Set<string> | undefined;
  #face: string;
  #generation = 1;
  /**
   * What the client had of the session before, whose place this one takes: as long as it says the same number, it may not
   * know of this one. 0 where there was none, or the client is known to know.
   */
  #receivedBefore = 0;
  #isPaused = false;

  constructor(
    core: Core,
    link: Link,
    request: AttachRequest,
    resumeKey: string,
    settle: (result: AttachResult) => void,
  ) {
    this.#core = core;
    const { address, path, query, headers } = request;
    this.id = request.id ?? createSecret();
    this.number = core.sessions.nextNumber();
    this.request = { address, path, query, headers };
    this.connectedAt = core.clock.date();
    this.resumeKey = resumeKey;
    this.sender = new Sender(core, this, resumeKey !== "");
    this.#receivedBefore = request.resume?.received ?? 0;
    this.#identity = request.identity;
    this.#face = link.face.name;
    this.#phase = { phase: "opening", attachment: new LiveAttachment(core, this, link, settle) };
  }

  get user(): string {
    return this.#identity?.user ?? "";
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  get claims(): Readonly<Record<string, unknown>> {
    return this.#identity?.claims ?? nothing;
  }

  get state(): SessionState {
    return (this.#state ??= new BoundedState(this.#core.limits));
  }

  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? noRooms;
  }

  get phase(): SessionPhase {
    return this.#phase.phase;
  }

  get face(): string {
    return this.#face;
  }

  get generation(): number {
    return this.#generation;
  }

  get isClosed(): boolean {
    return this.#phase.phase === "closed";
  }

  /** What its face does with it, while it has a link. */
  get attachment(): LiveAttachment | undefined {
    const phase = this.#phase;
    return phase.phase === "connected" || phase.phase === "opening" ? phase.attachment : undefined;
  }

  /** How it ended; `undefined` while it has not. */
  get disconnection(): Disconnection | undefined {
    return this.#phase.phase === "closed" ? this.#phase.disconnection : undefined;
  }

  send(data: string | Uint8Array | Delivery): boolean {
    if (this.isClosed) return false;
    this.#core.tally.delivered++;
    if (this.sender.deliver(data instanceof Delivery ? data : Message.from(data))) return true;
    this.sender.askForDrain();
    return false;
  }

  join(room: string, options: JoinOptions = {}): Promise<JoinResult> {
    return this.#core.rooms.join(this, room, options.since);
  }

  leave(room: string): Promise<void> {
    return this.#core.rooms.leave(this, room);
  }

  close(code: number = CloseCode.NORMAL, reason = ""): void {
    validateClose(code, reason);
    this.end({ code, reason, clean: true });
  }

  identify(identity: Identity): void {
    this.#isIdentified = true;
    this.#become(identity);
  }

  ping(): void {
    if (this.#phase.phase === "connected") this.#phase.attachment.link.ping();
  }

  pause(): void {
    this.#isPaused = true;
    this.attachment?.link.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.attachment?.link.resume();
  }

  /** It is in a room, or about to be. */
  addRoom(room: string): void {
    (this.#rooms ??= new Set()).add(room);
  }

  /** It is in a room. */
  joined(room: string): void {
    this.attachment?.link.roomChanged?.(room, true);
  }

  /** It is not in a room any more. */
  deleteRoom(room: string): void {
    this.#rooms?.delete(room);
    this.sender.forget(room);
    this.attachment?.link.roomChanged?.(room, false);
  }

  /** The client is let in; nothing is sent to it before `open`. Does nothing once it is over. */
  connect(): void {
    if (this.#phase.phase === "opening") {
      this.#phase = { phase: "connected", attachment: this.#phase.attachment };
    }
  }

  /** Begins to send, once the client is greeted. Does nothing if it has gone. */
  open(): void {
    if (this.#phase.phase !== "connected") return;
    if (this.#isPaused) this.#phase.attachment.link.pause();
    this.sender.drained();
  }

  /** The link has room again. */
  drained(): void {
    if (this.#phase.phase === "connected") this.sender.drained();
  }

  /** How many deliveries a client has had that can go on with it; undefined where it cannot. */
  resumable({ received, isLast }: ResumeRequest): number | undefined {
    const { phase } = this.#phase;
    if (phase !== "connected" && phase !== "away") return undefined;
    const had = isLast === undefined ? received : this.sender.receivedAt(isLast);
    // It may speak of the session before, the greeting of this one having been lost with its link.
    const isAmbiguous = isLast === undefined && received > 0 && received === this.#receivedBefore;
    return had !== undefined && !isAmbiguous && this.sender.reaches(had) ? had : undefined;
  }

  /**
   * Goes on with another link, from `open` on. Answers for how many milliseconds it had none. What the face knows of the
   * client now takes the place of what a face knew before, but not of what the application has said.
   */
  takeOver(attachment: LiveAttachment, received: number, identity: Identity | undefined): number {
    if (identity !== undefined && !this.#isIdentified) this.#become(identity);
    const before = this.#phase;
    this.#phase = { phase: "connected", attachment };
    this.#face = attachment.link.face.name;
    this.#generation++;
    this.#receivedBefore = 0;
    this.#core.opening.delete(this);
    this.#core.away.delete(this);
    this.sender.hold();
    this.sender.rewind(received);
    if (before.phase === "connected") {
      before.attachment.end({ code: CloseCode.REPLACED, reason: "another connection took the session over" });
    }
    return before.phase === "away" ? this.#core.clock.now() - before.since : 0;
  }

  /** The link is lost: it waits for another one, or is over. */
  detach(loss: Loss): void {
    const isFarewell = loss.clean && loss.code === CloseCode.NORMAL;
    if (this.#phase.phase !== "connected" || this.resumeKey === "" || isFarewell) {
      this.end(loss, true);
      return;
    }
    this.#phase = { phase: "away", loss, since: this.#core.clock.now() };
    this.sender.hold();
    this.#core.opening.delete(this);
    this.#core.away.add(this);
    this.#core.events.emit("away", this, this);
  }

  /** Its deadline has passed. One that can be resumed is not over because rooms could not be joined in time. */
  expire(): void {
    const phase = this.#phase;
    const timeout = { code: CloseCode.TIMEOUT, reason: "not connected in time" };
    if (phase.phase === "away") this.end(phase.loss);
    else if (phase.phase === "connected" && this.resumeKey !== "") {
      this.detach({ ...timeout, clean: false });
      phase.attachment.end(timeout);
    } else this.end({ ...timeout, clean: true });
  }

  /** More waits for the client than may. */
  tooSlow(): void {
    this.end({ code: CloseCode.TOO_SLOW, reason: "reads too slowly", clean: true });
  }

  /** It is over, for whatever reason. */
  end({ code, reason, clean }: Disconnection, isLinkLost = false): void {
    const before = this.#phase;
    if (before.phase === "closed") return;
    const disconnection = { code, reason, clean };
    this.#phase = { phase: "closed", disconnection };
    this.#core.opening.delete(this);
    this.#core.away.delete(this);
    this.#core.sessions.delete(this);
    const left = this.sender.finish(!isLinkLost && code !== CloseCode.TOO_SLOW);
    this.#core.rooms.leaveAll(this);
    if (before.phase !== "away") before.attachment.end({ code, reason }, isLinkLost);
    if (left > 0) {
      this.#core.tally.dropped("closed", left);
      this.#core.events.emit("drop", this, this, { reason: "closed", room: "", count: left });
    }
    if (before.phase === "opening") return;
    this.#core.tally.closed(code);
    this.#core.events.emit("disconnect", this, this, disconnection);
  }

  #become(identity: Identity): void {
    const before = this.user;
    this.#identity = identity;
    this.#core.sessions.moveUser(this, before, identity.user);
    this.#core.rooms.changed(this);
  }
}
