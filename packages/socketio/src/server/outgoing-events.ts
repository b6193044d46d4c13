import type { BroadcastFlags, BroadcastPacket } from "../adapter/adapter.ts";
import { type Packet, PacketType, reservedEvents } from "../parser/packet.ts";
import { type AckWaiter, PendingAcks } from "./pending-acks.ts";
import type { AnySocket } from "./socket.ts";
import type { AnyListener } from "./typed-events.ts";

/** What one client is sent, and the answers that it is asked for. */
export class OutgoingEvents {
  readonly #socket: AnySocket;
  /** Whether what is sent is kept, for when the client comes back. */
  #isKept: boolean;
  #listeners: AnyListener[] | undefined = undefined;
  #acks: PendingAcks | undefined = undefined;
  #hasEnded = false;

  constructor(socket: AnySocket, isKept: boolean) {
    this.#socket = socket;
    this.#isKept = isKept;
  }

  /** Listeners to all that is sent. */
  get listeners(): AnyListener[] {
    return (this.#listeners ??= []);
  }

  /** The answers that are still to come. */
  get acks(): PendingAcks {
    return (this.#acks ??= new PendingAcks(this.#socket.nsp.server._socketHost));
  }

  /** Whether the client has left. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Sends an event. A function at the end of its arguments waits for an answer. */
  emit(name: string | symbol, args: readonly unknown[], flags: BroadcastFlags): void {
    checkName(name);
    const data = [name, ...args];
    const last = data.at(-1);
    if (typeof last !== "function") {
      this.#send({ type: PacketType.EVENT, nsp: this.#socket.nsp.name, data }, flags);
      return;
    }
    data.pop();
    this.#ask(data, flags, this.#waiterFor(last as AnyListener, flags));
  }

  /** Sends an event, and resolves to its answer. */
  emitWithAck(name: string | symbol, args: readonly unknown[], flags: BroadcastFlags): Promise<unknown> {
    return new Promise((answered, failed) => {
      checkName(name);
      this.#ask([name, ...args], flags, { answered, failed });
    });
  }

  /** Tells the listeners of a packet that is sent. */
  notify({ data }: { readonly data?: unknown }): void {
    if (this.#listeners === undefined) return;
    for (const listener of this.#listeners.slice()) listener.apply(this.#socket, data as unknown[]);
  }

  /** What a listener answers an event of the client with, once. */
  createAnswer(id: number): AnyListener {
    const { client, nsp } = this.#socket;
    let isAnswered = false;
    return (...data: unknown[]) => {
      if (isAnswered || this.#hasEnded) return;
      client._packet({ type: PacketType.ACK, nsp: nsp.name, id, data });
      isAnswered = true;
    };
  }

  /** An answer came. */
  answered(id: number, args: readonly unknown[]): void {
    this.#acks?.answer(id, args, this.#socket);
  }

  /** An answer is waited for no more. Answers whether it was; who was asked nothing has no memory taken for it. */
  forget(id: number): boolean {
    return this.#acks?.delete(id) === true;
  }

  /** The client has left. No answer comes any more, and what is sent is only kept, where the client may come back. */
  end(mayReturn: boolean): void {
    this.#hasEnded = true;
    this.#isKept &&= mayReturn;
    this.#acks?.failAll(disconnected());
  }

  #send(packet: Packet & BroadcastPacket, flags: BroadcastFlags): void {
    const { client, id, nsp, _session: session } = this.#socket;
    if (session !== undefined && !this.#hasEnded) {
      session.emit(packet, flags);
    } else if (this.#isKept) {
      void nsp.adapter.broadcast(packet, { rooms: new Set([id]), except: new Set(), flags });
    } else if (!this.#hasEnded) {
      if (this.#listeners !== undefined) this.notify(packet);
      client._packet(packet, flags);
    }
  }

  #ask(data: unknown[], flags: BroadcastFlags, waiter: AckWaiter): void {
    const { nsp } = this.#socket;
    if (this.#hasEnded) {
      if (waiter.failed !== undefined) process.nextTick(waiter.failed, disconnected());
      return;
    }
    const id = nsp._ids++;
    const refused = this.acks.ask(id, waiter, flags.timeout);
    if (refused !== undefined) {
      process.nextTick(waiter.failed ?? waiter.answered, refused);
      return;
    }
    try {
      this.#send({ type: PacketType.EVENT, nsp: nsp.name, data, id }, flags);
    } catch (error) {
      // Such as of a cycle, which is no JSON.
      this.acks.delete(id);
      throw error;
    }
  }

  #waiterFor(callback: AnyListener, { timeout }: BroadcastFlags): AckWaiter {
    if (timeout === undefined) return { answered: callback, failed: undefined };
    const answered = (...args: unknown[]): void => callback.call(this.#socket, null, ...args);
    return { answered, failed: callback };
  }
}

function checkName(name: string | symbol): void {
  if (typeof name === "string" && reservedEvents.has(name))
    throw new Error(`"${name}" is a reserved event name`);
}

function disconnected(): Error {
  return new Error("socket has been disconnected");
}
