import {
  type AnswerListener,
  type Attached,
  type Attachment,
  CloseCode,
  type Drop,
  type Link,
  type MessageInit,
  numberOfCode,
  type Refusal,
  type Session,
} from "@sluice/hub";
import type { BroadcastFlags, BroadcastPacket } from "../adapter/adapter.ts";
import { PacketType } from "../parser/packet.ts";
import type { DisconnectReason } from "../server/disconnect-reason.ts";
import type { SocketSession } from "../server/socket-gate.ts";
import type { AnySocket } from "../server/socket.ts";
import { argumentsOf, messageFromEvent } from "./event-content.ts";
import { EventDelivery } from "./event-delivery.ts";
import type { EventFrame } from "./event-frame.ts";
import type { NamespaceFace } from "./namespace-face.ts";
import { isTransient, lossFrom } from "./session-closing.ts";

/** What a link tells those around it. */
export interface LinkOwner {
  /** Whether somebody takes events that no listener of the application has. */
  readonly takesEvents: boolean;
  /** The session is in a room of the hub from now on, or is not any more. */
  roomChanged(link: SessionLink, hubRoom: string, isIn: boolean): void;
  /** The client is not given something. */
  dropped(link: SessionLink, drop: Drop): void;
}

type State =
  /** The hub is asked whether to let the client in. */
  | { readonly name: "entering"; attachment: Attachment | undefined }
  /** The client does not know that it is let in. */
  | { readonly name: "held"; readonly attachment: Attachment; readonly frames: EventFrame[] }
  | { readonly name: "open"; readonly attachment: Attachment }
  /** `refusal` is why the hub ended it. */
  | { readonly name: "ended"; readonly refusal: Refusal | undefined };

/** A socket as the link of a session of the hub. */
export class SessionLink implements Link<EventFrame>, SocketSession {
  readonly face: NamespaceFace;
  readonly socket: AnySocket;
  readonly #owner: LinkOwner;
  #state: State = { name: "entering", attachment: undefined };

  constructor(socket: AnySocket, face: NamespaceFace, owner: LinkOwner) {
    this.socket = socket;
    this.face = face;
    this.#owner = owner;
  }

  /** The session, while it has this link. */
  get session(): Session | undefined {
    return this.#state.name === "ended" ? undefined : this.#state.attachment?.session;
  }

  /** Why the hub ended it; undefined where it has not. */
  get refusal(): Refusal | undefined {
    return this.#state.name === "ended" ? this.#state.refusal : undefined;
  }

  get takesEvents(): boolean {
    return this.#owner.takesEvents;
  }

  get bufferedAmount(): number {
    return this.socket.conn.bufferedBytes;
  }

  opening(attachment: Attachment): void {
    if (this.#state.name === "entering") this.#state.attachment = attachment;
  }

  opened({ attachment }: Attached): void {
    if (this.#state.name === "entering") this.#state = { name: "held", attachment, frames: [] };
  }

  /** The client knows that it is let in. */
  open(): void {
    const state = this.#state;
    if (state.name === "ended" && state.refusal !== undefined) this.#disconnect(state.refusal);
    if (state.name !== "held") return;
    this.#state = { name: "open", attachment: state.attachment };
    let goOn = true;
    for (const frame of state.frames) goOn = this.#write(frame);
    if (goOn) state.attachment.drained();
  }

  send(frame: EventFrame): boolean {
    const state = this.#state;
    if (state.name === "open") return this.#write(frame);
    if (state.name === "held") state.frames.push(frame);
    return false;
  }

  dropped(drop: Drop): void {
    const { reason, room, count } = drop;
    this.#owner.dropped(this, drop);
    const where = room === "" ? {} : { room };
    if (reason === "lost") this.#tell("sluice.lost", where);
    else if (reason === "slow") this.#tell("sluice.dropped", { ...where, count });
  }

  roomChanged(hubRoom: string, isIn: boolean): void {
    this.#owner.roomChanged(this, hubRoom, isIn);
  }

  /** The next heartbeat of the connection is the answer. */
  ping(): void {
    this.socket.conn.once("heartbeat", () => {
      if (this.#state.name === "open") this.#state.attachment.pong();
    });
  }

  close(code: number, reason: string): void {
    const state = this.#state;
    if (state.name === "ended") return;
    const { connected } = this.socket;
    if (connected && state.name === "held") for (const frame of state.frames) this.#write(frame);
    this.#end({ code, reason });
    if (connected) this.#disconnect({ code, reason });
  }

  pause(): void {
    this.socket.conn.pause(this);
  }

  resume(): void {
    this.socket.conn.resume(this);
  }

  emit(packet: BroadcastPacket, { volatile = false }: BroadcastFlags): void {
    if (volatile && !this.mayLeave()) return;
    const frame = this.face.event(packet);
    this.session?.send(new EventDelivery(this.face, packet.id === undefined ? frame : frame.onlyFor(this)));
  }

  /** Whether what is volatile would leave at once; counts that it is dropped where not. */
  mayLeave(): boolean {
    const { conn, nsp } = this.socket;
    if (conn.writable) return true;
    nsp.server.counts.dropped.volatile++;
    return false;
  }

  received(event: readonly unknown[], ack: ((...args: unknown[]) => void) | undefined): void {
    const state = this.#state;
    if (state.name !== "open" && state.name !== "held") return;
    let message: MessageInit;
    try {
      message = messageFromEvent(event);
    } catch {
      // Such as arrays in arrays, ten thousand deep.
      state.attachment.session.close(CloseCode.MALFORMED, "an event that cannot be JSON");
      return;
    }
    const { data, ...init } = message;
    state.attachment.receive(data, ack === undefined ? init : { ...init, answer: answerInto(ack) });
  }

  drained(): void {
    if (this.#state.name === "open") this.#state.attachment.drained();
  }

  ended(reason: DisconnectReason): void {
    const state = this.#state;
    if (state.name === "ended") return;
    this.#end(undefined);
    const loss = lossFrom(reason);
    // Only a farewell and a loss are a link's to tell.
    if (loss.code === CloseCode.MALFORMED) state.attachment?.session.close(loss.code, reason);
    else state.attachment?.lost(loss);
  }

  #end(refusal: Refusal | undefined): void {
    this.#state = { name: "ended", refusal };
    // The client may have other sockets.
    this.socket.conn.resume(this);
  }

  #write(frame: EventFrame): boolean {
    if (frame.only !== undefined && frame.only !== this) return true;
    const { conn } = this.socket;
    this.socket.notifyOutgoingListeners(frame);
    const [message] = frame.messages;
    return frame.messages.length === 1 && message !== undefined
      ? conn.send(message)
      : conn.sendAll(frame.messages);
  }

  /** An event of the face itself, which is no delivery. */
  #tell(name: string, what: object): void {
    this.socket.client._packet({ type: PacketType.EVENT, nsp: this.socket.nsp.name, data: [name, what] });
  }

  /** Tells the client why, and ends its stay. */
  #disconnect({ code, reason }: Refusal): void {
    this.#tell("sluice.close", { code, reason });
    if (isTransient(code)) this.socket.conn.close();
    else this.socket.disconnect();
  }
}

/** Answers a client as its function for that wants it: the reply's arguments, or one object with the error. */
function answerInto(ack: (...args: unknown[]) => void): AnswerListener {
  return (answer) => {
    if (answer.ok) ack(...(answer.reply === undefined ? [] : argumentsOf(answer.reply)));
    else {
      const { code: status, message } = answer;
      ack({ error: { code: numberOfCode(status), status, message } });
    }
  };
}
