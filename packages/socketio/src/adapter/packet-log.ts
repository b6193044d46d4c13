import { randomBytes } from "node:crypto";
import type { Room } from "./broadcast-options.ts";

/** A packet as it is kept. */
export interface KeptPacket {
  readonly rooms: ReadonlySet<Room>;
  readonly except: ReadonlySet<Room>;
  /** It as messages, which nothing that the application does to its arguments changes any more. */
  readonly messages: readonly (string | Uint8Array)[];
  readonly bytes: number;
  /** When it was sent, in milliseconds of a clock. */
  readonly at: number;
}

/** Bounds on what is kept. The oldest packets are forgotten first. */
export interface PacketLogLimits {
  readonly maxPackets: number;
  readonly maxBytes: number;
}

/** The last packets of a namespace by their numbers, which go up by one. */
export class PacketLog {
  readonly #limits: PacketLogLimits;
  /** Tells the offsets of this log from those of another process, and from what applications send as text. */
  readonly #epoch = randomBytes(6).toString("base64url");
  readonly #packets = new Map<number, KeptPacket>();
  #bytes = 0;
  /** The number of the oldest packet that is kept, and of the newest; one more, where there is none. */
  #first = 1;
  #last = 0;
  /** When the newest was sent of those that are forgotten. */
  #forgottenAt = -Infinity;

  constructor(limits: PacketLogLimits) {
    this.#limits = limits;
  }

  /** The number of the newest packet. */
  get last(): number {
    return this.#last;
  }

  /** The number behind which the packets are kept. */
  get start(): number {
    return this.#first - 1;
  }

  /** How a client names a number. */
  offsetOf(number: number): string {
    return `${this.#epoch}.${number.toString(36)}`;
  }

  /** The number that a client names; undefined where it is not of this log. */
  numberOf(offset: unknown): number | undefined {
    if (typeof offset !== "string" || !offset.startsWith(`${this.#epoch}.`)) return undefined;
    const number = Number.parseInt(offset.slice(this.#epoch.length + 1), 36);
    return number >= 0 && number <= this.#last && this.offsetOf(number) === offset ? number : undefined;
  }

  /** Adds a packet, whose number is one more than the last. What is over the bounds, or was sent before a time, is forgotten. */
  add(packet: KeptPacket, since: number): void {
    this.#packets.set(++this.#last, packet);
    this.#bytes += packet.bytes;
    const { maxPackets, maxBytes } = this.#limits;
    let oldest = this.#packets.get(this.#first);
    while (oldest !== undefined) {
      const { bytes, at } = oldest;
      if (this.#packets.size <= maxPackets && this.#bytes <= maxBytes && at >= since) return;
      this.#packets.delete(this.#first++);
      this.#bytes -= bytes;
      this.#forgottenAt = at;
      oldest = this.#packets.get(this.#first);
    }
  }

  /** The packets behind a number with theirs; the number is not before `start`. */
  *after(number: number): Generator<[number, KeptPacket]> {
    for (let next = number + 1; next <= this.#last; next++) {
      const packet = this.#packets.get(next);
      if (packet !== undefined) yield [next, packet];
    }
  }

  /** The number of the newest packet that was sent before a time; 0 where none is known. */
  numberBefore(time: number): number {
    if (this.#forgottenAt >= time) return 0;
    let low = this.start;
    let high = this.#last;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#packets.get(middle)?.at ?? -Infinity) < time) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
