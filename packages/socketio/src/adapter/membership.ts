import type { Room } from "./broadcast-options.ts";

/** The time in a room that is over: behind one packet, up to another. */
interface Stay {
  readonly room: Room;
  readonly behind: number;
  readonly upTo: number;
}

/** Stays that are known of one socket. A client may have itself put into rooms and out of them all the time. */
const MAX_STAYS = 256;

/** The rooms of a socket over time, which is told by the numbers of packets. */
export class Membership {
  /** When the socket was recovered last, and the number behind which it was sent what it had missed. */
  resent: { readonly at: number; readonly behind: number } | undefined = undefined;
  /** The rooms that it is in, each with the number of the last packet before. */
  readonly #rooms = new Map<Room, number>();
  #stays: Stay[] | undefined = undefined;
  #knownBehind = 0;

  /** The number of the packet behind which it is known where the socket was. */
  get knownBehind(): number {
    return this.#knownBehind;
  }

  /** The number of the last packet before the socket was in a room; undefined where it is not in it. */
  joinedBehind(room: Room): number | undefined {
    return this.#rooms.get(room);
  }

  /** The socket joins a room, behind a packet. */
  join(room: Room, behind: number): void {
    if (!this.#rooms.has(room)) this.#rooms.set(room, behind);
  }

  /** The socket leaves a room, behind a packet. Up to another, it needs to be known no more where it was. */
  leave(room: Room, upTo: number, arrived: number): void {
    const behind = this.#rooms.get(room);
    if (!this.#rooms.delete(room) || behind === undefined) return;
    const stays = (this.#stays ?? []).filter((stay) => stay.upTo > arrived);
    if (upTo > Math.max(behind, arrived)) stays.push({ room, behind, upTo });
    if (stays.length > MAX_STAYS) this.#knownBehind = stays.shift()?.upTo ?? upTo;
    this.#stays = stays.length === 0 ? undefined : stays;
  }

  /** Whether the packet of a number was for the socket, by the rooms that it was in then. */
  wasMeant(number: number, rooms: ReadonlySet<Room>, except: ReadonlySet<Room>): boolean {
    for (const room of except) if (this.#wasIn(room, number)) return false;
    for (const room of rooms) if (this.#wasIn(room, number)) return true;
    return rooms.size === 0;
  }

  #wasIn(room: Room, number: number): boolean {
    const behind = this.#rooms.get(room);
    if (behind !== undefined && behind < number) return true;
    if (this.#stays === undefined) return false;
    return this.#stays.some((stay) => stay.room === room && stay.behind < number && number <= stay.upTo);
  }
}
