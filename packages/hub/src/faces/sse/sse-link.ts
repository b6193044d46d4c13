import type { Answer, AnswerListener } from "../../answer.ts";
import type { Attached, Attachment, Refusal } from "../../attachment.ts";
import type { Clock, Timer } from "../../clock.ts";
import { CloseCode } from "../../close-code.ts";
import type { Drop } from "../../drop.ts";
import type { Face, Link } from "../../face.ts";
import type { Identity } from "../../identity.ts";
import { closingFromError, fittingReason } from "../closing.ts";
import { Expiry } from "../expiry.ts";
import { reportsFrom } from "../session-wire/answers.ts";
import type { RoomReport } from "../session-wire/server-message.ts";
import { encodeEventId, type RoomPosition } from "./event-id.ts";
import { encodeEvent } from "./event.ts";
import { refusalFromClose, refuse, type SseResponse } from "./http-message.ts";
import type { PostedMessage } from "./message-body.ts";
import { sseFace, type SseFrame } from "./sse-face.ts";
import type { StreamRequest } from "./stream-request.ts";
import { StreamWriter } from "./stream-writer.ts";

/** What an event stream needs of those around it. */
export interface SseSurroundings {
  readonly clock: Clock;
  /** Milliseconds for a client to read the rest of a stream that is over. */
  readonly closingMs: number;
  /** Milliseconds after which a client may connect again, a new one each time. */
  readonly retryMs: () => number;
  /** The stream has begun, or it has ended. */
  readonly begun: (link: SseLink) => void;
  readonly ended: (link: SseLink) => void;
}

type State =
  | { readonly name: "opening"; attachment: Attachment | undefined }
  | { readonly name: "open"; readonly attachment: Attachment }
  | { readonly name: "ended" };

/** One response with Server-Sent Events, as the link of a session. */
export class SseLink implements Link<SseFrame> {
  readonly face: Face<SseFrame> = sseFace;
  /** Whose it is by its resume key, see `ownerOf`; empty without a key. */
  readonly owner: string;
  /** The id of its session; empty before there is one. */
  session = "";
  /** Whether the hub wants no messages of the client now. */
  isPaused = false;
  /** Messages of the client that are on their way, by POST. */
  pending = 0;
  readonly #response: SseResponse;
  readonly #surroundings: SseSurroundings;
  readonly #request: StreamRequest;
  readonly #writer: StreamWriter;
  readonly #expiry: Expiry;
  /** Where the client is in each room of its query. */
  readonly #positions: (RoomPosition | undefined)[];
  #received = 0;
  #wasSilent = false;
  /** Who waits for the answer to a message of the client. */
  readonly #posts = new Set<(closed: Refusal) => void>();
  #state: State = { name: "opening", attachment: undefined };
  /** Cuts the connection of a client that does not read to the end. */
  #cut: Timer | undefined;

  constructor(response: SseResponse, request: StreamRequest, surroundings: SseSurroundings) {
    this.owner = request.resume === undefined ? "" : ownerOf(request.resume.key, request.identity);
    this.#response = response;
    this.#surroundings = surroundings;
    this.#request = request;
    this.#positions = request.rooms.map(({ since }) => since);
    this.#writer = new StreamWriter(response, () => this.attachment?.drained());
    this.#expiry = new Expiry(surroundings.clock, () => this.#expired());
    this.#expiry.set(request.identity?.expiresAt);
    response.on("close", () => this.#lost());
    response.on("error", () => response.destroy());
  }

  /** What its client does with its session; undefined where it has none. */
  get attachment(): Attachment | undefined {
    return this.#state.name === "open" ? this.#state.attachment : undefined;
  }

  get bufferedAmount(): number {
    return this.#writer.bufferedAmount;
  }

  opening(attachment: Attachment): void {
    if (this.#state.name === "opening") this.#state.attachment = attachment;
    else attachment.lost({ code: 1006, reason: "", clean: false });
  }

  opened(attached: Attached): void {
    if (this.#state.name !== "opening") return;
    const { attachment, recovered, resumed } = attached;
    const { session } = attachment;
    const rooms = reportsFrom(attached.rooms);
    const [first] = attached.rooms;
    // A stream of rooms that it may not join would stay silent.
    if (
      !resumed &&
      first !== undefined &&
      "error" in first &&
      rooms.every(({ error }) => error !== undefined)
    ) {
      const { code, reason } = closingFromError(first.error);
      session.close(code, fittingReason(reason));
      this.close(code, reason);
      return;
    }
    this.#state = { name: "open", attachment };
    this.session = session.id;
    if (resumed) this.#received = this.#request.resume?.received ?? 0;
    for (const [index, room] of rooms.entries()) this.#begin(index, room, resumed);
    this.#response.statusCode = 200;
    this.#response.setHeader("content-type", "text/event-stream");
    this.#response.setHeader("cache-control", "no-cache");
    // A proxy that buffers would hold back what the stream exists for.
    this.#response.setHeader("x-accel-buffering", "no");
    const greeting = { session: session.id, number: session.number, resumed, recovered, rooms };
    const head = `retry: ${this.#surroundings.retryMs()}\nid: ${this.#id()}\n`;
    this.#writer.write(head, encodeControl("sluice.session", greeting));
    if (!recovered || this.#request.isForgotten) this.#tell("sluice.lost", {});
    for (const { room, recovered: isRecovered } of rooms) {
      if (isRecovered === false) this.#tell("sluice.lost", { room });
    }
    this.#surroundings.begun(this);
  }

  send({ room, epoch, offset, body }: SseFrame): boolean {
    if (this.#state.name !== "open") return false;
    this.#received++;
    if (epoch !== "") {
      const index = this.#request.rooms.findIndex((each) => each.room === room);
      if (index >= 0) this.#positions[index] = { epoch, offset };
    }
    this.#wasSilent = false;
    return this.#writer.write(`id: ${this.#id()}\n`, body);
  }

  dropped({ reason, room, count }: Drop): void {
    const where = room === "" ? {} : { room };
    if (reason === "lost") this.#tell("sluice.lost", where);
    else if (reason === "slow") this.#tell("sluice.dropped", { ...where, count });
  }

  ping(): void {
    if (this.#state.name === "open") this.#writer.write(":\n\n");
  }

  close(code: number, reason: string): void {
    const state = this.#state;
    if (state.name === "ended") return;
    if (state.name === "open") {
      this.#tell("sluice.close", { code, reason });
      this.#writer.end();
    } else refuse(this.#response, refusalFromClose(code, reason));
    const { clock, closingMs } = this.#surroundings;
    this.#cut = clock.after(closingMs, () => this.#response.destroy());
    this.#end();
    // Where another link has the session now, its messages are answered as if nothing had happened.
    if (code !== CloseCode.REPLACED) this.#refusePosts({ code, reason });
    // The hub may be still about to learn of it.
    if (state.name === "opening") state.attachment?.lost({ code, reason, clean: true });
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  /**
   * Gives the hub a message of the client. The answer is a refusal where the session ends before; not where only this
   * stream does, because the message may be taken all the same.
   */
  post({ data, isJson }: PostedMessage, type: string): Promise<Answer | Refusal> {
    const { attachment } = this;
    if (attachment === undefined) return Promise.resolve(gone);
    return new Promise((resolve) => {
      this.#posts.add(resolve);
      const answer: AnswerListener = (answered) => {
        this.#posts.delete(resolve);
        resolve(answered);
      };
      attachment.receive(data, { isJson, type, answer });
    });
  }

  /** Says something where nothing was said since its last turn. */
  keepAlive(): void {
    if (this.#wasSilent) this.ping();
    this.#wasSilent = true;
  }

  /**
   * Where the client is in a room, before its first delivery. With a session that goes on, only the client can say: the
   * room is further than what is still to be sent.
   */
  #begin(index: number, { recovered = false, epoch, offset = 0 }: RoomReport, resumed: boolean): void {
    if (resumed || (recovered && this.#positions[index] !== undefined)) return;
    this.#positions[index] = epoch === undefined ? undefined : { epoch, offset };
  }

  #id(): string {
    return encodeEventId({ received: this.#received, rooms: this.#positions });
  }

  /** An event of the stream itself. It has no id, as no delivery is counted. */
  #tell(type: string, data: object): void {
    if (this.#state.name !== "open") return;
    this.#wasSilent = false;
    this.#writer.write("", encodeControl(type, data));
  }

  #expired(): void {
    const { attachment } = this;
    const loss = { code: CloseCode.UNAUTHENTICATED, reason: "the token has expired", clean: true };
    this.close(loss.code, loss.reason);
    attachment?.lost(loss);
  }

  /** The response has ended, however. */
  #lost(): void {
    this.#cut?.cancel();
    const state = this.#state;
    if (state.name === "ended") return;
    this.#end();
    state.attachment?.lost({ code: 1006, reason: "", clean: false });
  }

  #end(): void {
    this.#state = { name: "ended" };
    this.#expiry.set(undefined);
    this.#surroundings.ended(this);
  }

  #refusePosts(closed: Refusal): void {
    for (const settle of this.#posts) settle(closed);
    this.#posts.clear();
  }
}

/** A resume key with who has it, as the hub tells sessions apart: the same key of another user is another key. */
export function ownerOf(key: string, identity: Identity | undefined): string {
  return `${key} ${identity?.user ?? ""}`;
}

const gone: Refusal = { code: CloseCode.GOING_AWAY, reason: "the stream of this session has ended" };

function encodeControl(type: string, data: object): Buffer {
  return Buffer.from(encodeEvent({ type, data: JSON.stringify(data) }));
}
