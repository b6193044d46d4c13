import type { Attached, Attachment } from "../../attachment.ts";
import { CloseCode } from "../../close-code.ts";
import type { Drop } from "../../drop.ts";
import type { JoinResult } from "../../session.ts";
import { unsupportedData } from "../closing.ts";
import { isRefusal } from "../refusal.ts";
import type { Conversation } from "../websocket/conversation.ts";
import { Pause, type SocketLink } from "../websocket/socket-link.ts";
import { reportsFrom } from "./answers.ts";
import { HeldFrames } from "./held-frames.ts";
import { parseClientMessage } from "./parse-client-message.ts";
import { encodeConnected, encodeDropped, encodeLost } from "./server-message.ts";
import { type RoomWatcher, SessionCommands } from "./session-commands.ts";
import { SessionFrame } from "./session-frame.ts";
import type { SessionWireOptions } from "./session-wire.ts";

/** Bytes that may be held before the hub is asked to wait. */
const heldHighWaterMark = 65_536;

/** A client of the session wire that is let in. */
export class SessionConversation implements Conversation<SessionFrame>, RoomWatcher {
  readonly #link: SocketLink<SessionFrame>;
  readonly #options: SessionWireOptions;
  // What most clients do not need is made when it is needed: it would be memory that every delivery goes through.
  #commands: SessionCommands | undefined;
  /** While a `join` waits for its answer. */
  #held: HeldFrames | undefined;
  /** The epochs that the client knows, by room. */
  #epochs: Map<string, string> | undefined;
  #attachment: Attachment | undefined;
  /** What `RateLimit` wants to be kept. */
  #full = 0;
  /** Whether the hub waits for what is held to leave. */
  #wantsDrain = false;

  constructor(link: SocketLink<SessionFrame>, options: SessionWireOptions) {
    this.#link = link;
    this.#options = options;
  }

  get heldBytes(): number {
    return this.#held?.bytes ?? 0;
  }

  opened({ attachment, resumed, recovered, rooms }: Attached): void {
    this.#attachment = attachment;
    const { id, number } = attachment.session;
    const reports = reportsFrom(rooms);
    for (const { room, epoch } of reports) if (epoch !== undefined) this.#learn(room, epoch);
    const { pingSeconds } = this.#options;
    this.#link.write(
      encodeConnected({ session: id, number, resumed, recovered, rooms: reports, pingSeconds }),
    );
  }

  receive(attachment: Attachment, data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      this.#link.fail({
        code: unsupportedData,
        reason: "a message must be JSON in a text, and this is binary",
      });
      return;
    }
    const parsed = parseClientMessage(data.toString());
    if (isRefusal(parsed)) this.#link.fail(parsed);
    else if (parsed.verb === "invalid") {
      if (this.#mayGoOn()) this.#commander.refuse(parsed);
    } else if (parsed.verb === "received") {
      if (this.#mayGoOn()) attachment.received(parsed.received);
    } else if (parsed.verb === "connect") {
      this.#link.fail({ code: CloseCode.MALFORMED, reason: "connect comes first, and once" });
    } else if (parsed.verb !== "refresh" || this.#mayGoOn()) this.#commander.start(attachment, parsed);
  }

  send(frame: SessionFrame): boolean {
    const held = this.#held;
    if (held === undefined || !held.holds(frame)) return this.#deliver(frame);
    if (held.bytes < heldHighWaterMark) return true;
    this.#wantsDrain = true;
    return false;
  }

  dropped(drop: Drop): void {
    if (this.#held?.holds(drop) !== true) this.#tell(drop);
  }

  drained(): boolean {
    this.#link.resumeFor(Pause.ANSWERS);
    if (this.#held === undefined || this.#held.isEmpty) return true;
    this.#wantsDrain = true;
    return false;
  }

  closing(): void {
    this.#held?.releaseAll((each) => this.#release(each));
    this.#held = undefined;
  }

  joining(room: string): void {
    (this.#held ??= new HeldFrames()).joining(room);
  }

  answered(room: string, result: JoinResult | undefined): void {
    if (result !== undefined && result.epoch !== "") this.#learn(room, result.epoch);
    const held = this.#held;
    if (held === undefined) return;
    let goOn = true;
    held.answered(room, (each) => {
      goOn = this.#release(each);
    });
    if (held.isIdle) this.#held = undefined;
    // Where it must not go on, the connection tells of its own drain.
    if (!this.#wantsDrain || !held.isEmpty) return;
    this.#wantsDrain = false;
    if (goOn) this.#attachment?.drained();
  }

  left(room: string): void {
    this.#epochs?.delete(room);
  }

  /** Counts what the hub does not count, and ends a client that says too much of it. */
  #mayGoOn(): boolean {
    const { clock, rate } = this.#options;
    const full = rate.take(this.#full, clock.now());
    if (full !== undefined) {
      this.#full = full;
      return true;
    }
    this.#link.fail({ code: CloseCode.TOO_MANY, reason: "more messages a second than allowed" });
    return false;
  }

  get #commander(): SessionCommands {
    return (this.#commands ??= new SessionCommands(this.#link, this.#options, this));
  }

  #learn(room: string, epoch: string): void {
    (this.#epochs ??= new Map()).set(room, epoch);
  }

  #release(each: SessionFrame | Drop): boolean {
    return each instanceof SessionFrame ? this.#deliver(each) : this.#tell(each);
  }

  #deliver(frame: SessionFrame): boolean {
    const { room, epoch } = frame;
    if (epoch === "" || this.#epochs?.get(room) === epoch) return this.#link.write(frame.plain);
    this.#learn(room, epoch);
    return this.#link.write(frame.withEpoch);
  }

  #tell({ reason, room, count }: Drop): boolean {
    if (reason === "lost") return this.#link.write(encodeLost(room));
    return reason !== "slow" || this.#link.write(encodeDropped(count, room));
  }
}
