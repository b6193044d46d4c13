import type { Body } from "./member.ts";
import { SocketMember } from "./socket-member.ts";

/** What the server says on the session wire, as far as a member minds. */
interface ServerMessage {
  readonly connected?: { readonly resumed: boolean; readonly rooms: readonly RoomReport[] };
  readonly message?: unknown;
  readonly room?: string;
  readonly data?: string;
  readonly offset?: number;
  readonly dropped?: { readonly room?: string; readonly count: number };
  readonly lost?: { readonly room: string };
  readonly id?: number;
  readonly ok?: object;
  readonly error?: { readonly code: string; readonly message: string };
}

interface RoomReport {
  readonly room: string;
  readonly epoch?: string;
  readonly offset?: number;
  readonly recovered?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Deliveries after which the server is told that they have come. */
const receivedEvery = 50;

/** A member on the session wire: it knows the places of publications, and what became of what it says. */
export class SessionMember extends SocketMember {
  /** Ids of what it has said, by the numbers of the commands that have no answer yet. */
  readonly #waiting = new Map<number, string>();
  #commands = 0;

  protected override open(): void {
    this.connect(`name=${this.name}`, ["sluice.session.v1"]);
  }

  protected override connected(): void {
    const rooms = this.rooms.map((room) => {
      const { epoch = "", offset = 0 } = this.places.get(room) ?? {};
      return epoch === "" ? { room } : { room, epoch, offset };
    });
    this.write(JSON.stringify({ connect: { resume: { key: this.key, received: this.received }, rooms } }));
  }

  protected override disconnected(): void {
    this.#waiting.clear();
  }

  protected override send(body: Body): void {
    const id = ++this.#commands;
    this.#waiting.set(id, body.id);
    this.write(JSON.stringify({ send: JSON.stringify(body), id }));
  }

  protected override told(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    if (message.data !== undefined) {
      this.#count();
      this.take(message.data, message.offset);
    } else if (message.message !== undefined) {
      this.#count();
    } else if (message.connected !== undefined) {
      if (!message.connected.resumed) this.received = 0;
      for (const report of message.connected.rooms) this.#enter(report, message.connected.resumed);
      this.entered();
    } else if (message.dropped !== undefined) {
      this.#miss(message.dropped.room ?? "", message.dropped.count);
    } else if (message.lost !== undefined) {
      this.#miss(message.lost.room, undefined);
    } else if (message.id !== undefined) {
      const said = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (said !== undefined) this.ledger.told(said, message.error === undefined ? "taken" : "refused");
    }
  }

  #enter({ room, epoch = "", offset = 0, recovered, error }: RoomReport, resumed: boolean): void {
    if (error !== undefined) this.ledger.problem(`${this.name} may not join ${room}: ${error.message}`);
    const isSame = (resumed || recovered === true) && this.places.has(room);
    if (!isSame) this.begin(room, epoch, offset);
  }

  #miss(room: string, count: number | undefined): void {
    const place = this.places.get(room);
    if (place === undefined)
      this.ledger.problem(`${this.name} is told of a gap in "${room}", where it is not`);
    place?.stint.gap(count);
  }

  #count(): void {
    this.received++;
    if (this.received % receivedEvery === 0) this.write(JSON.stringify({ received: this.received }));
  }
}
