import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Ledger, Stint } from "./ledger.ts";

/** Where a member stands in one room. */
export interface Place {
  stint: Stint;
  epoch: string;
  offset: number;
}

/** What a member is and where. */
export interface MemberOptions {
  /** Unlike all others, and without a colon: the first half of the ids of what it says. */
  readonly name: string;
  readonly rooms: readonly string[];
  readonly port: number;
  readonly ledger: Ledger;
}

/** What is said to a room, as it stands in the payload. */
export interface Body {
  /** `sender:n`. */
  readonly id: string;
  readonly room: string;
  readonly pad: string;
}

/** Milliseconds from a refusal to the next attempt. */
const refusedPause = 100;

/** A client that holds a session on one wire, comes back by itself, and keeps the ledger. */
export abstract class Member {
  readonly name: string;
  readonly rooms: readonly string[];
  protected readonly port: number;
  protected readonly ledger: Ledger;
  protected readonly places = new Map<string, Place>();
  /** Secret of its session. */
  protected key: string = createKey();
  /** Deliveries since its session began. */
  protected received = 0;
  #said = 0;
  #connections = 0;
  #isIn = false;
  #isLeaving = false;
  #left: (() => void) | undefined;

  constructor({ name, rooms, port, ledger }: MemberOptions) {
    this.name = name;
    this.rooms = rooms;
    this.port = port;
    this.ledger = ledger;
  }

  /** Whether it has a connection, and is let in. */
  get isIn(): boolean {
    return this.#isIn;
  }

  /** How often it was let in. */
  get connections(): number {
    return this.#connections;
  }

  /** Connects, and again whenever its connection has ended, until it leaves. */
  start(): void {
    this.#isLeaving = false;
    this.open();
  }

  /** Ends its session as a client should, and resolves when that has happened. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    await new Promise<void>((resolve) => {
      this.#left = resolve;
      this.finish();
    });
    for (const { stint } of this.places.values()) stint.isOpen = false;
    this.places.clear();
    this.key = createKey();
    this.received = 0;
  }

  /** Says something of so many bytes to one of its rooms, if it is in. */
  say(room: string, bytes: number): void {
    if (!this.#isIn) return;
    const body = createBody(`${this.name}:${++this.#said}`, room, bytes);
    this.ledger.sent(body.id);
    this.send(body);
  }

  /** Whether it was given what was published to each of its rooms in the end. */
  hasAll(last: ReadonlyMap<string, string>): boolean {
    return this.#isIn && this.rooms.every((room) => this.ledger.hasLast(this.places.get(room)?.stint, last));
  }

  /** Loses its connection, without a word. It comes back after so many milliseconds. */
  abstract drop(awayMs: number): void;
  /** Reads nothing for a while. */
  abstract pause(): void;
  /** Reads on. */
  abstract resume(): void;

  /** Opens a connection; calls `entered` and `closed`. */
  protected abstract open(): void;
  /** Ends the session; calls `closed`. */
  protected abstract finish(): void;
  protected abstract send(body: Body): void;

  /** It was let in. */
  protected entered(): void {
    this.#isIn = true;
    this.#connections++;
  }

  /** Its connection is over, or could not be had. */
  protected closed(awayMs: number = refusedPause): void {
    this.#isIn = false;
    if (this.#isLeaving) this.#left?.();
    else
      void wait(awayMs).then(() => {
        if (this.#isLeaving) this.#left?.();
        else this.open();
      });
  }

  /** It is in a room from now on, and what it had of it before may end anywhere. */
  protected begin(room: string, epoch = "", offset = 0): void {
    const before = this.places.get(room);
    if (before !== undefined) before.stint.isOpen = false;
    this.places.set(room, { stint: this.ledger.begin(this.name, room), epoch, offset });
  }

  /** A publication came; `offset` where the wire says it. */
  protected take(text: string, offset?: number): void {
    const { id, room } = JSON.parse(text) as Body;
    const place = this.places.get(room);
    if (place === undefined) {
      this.ledger.problem(`${this.name} was given ${id} of ${room}, where it is not`);
      return;
    }
    if (offset !== undefined) place.offset = offset;
    this.ledger.received(place.stint, id, offset);
  }
}

/** A text of about so many bytes. */
export function createBody(id: string, room: string, bytes: number): Body {
  return { id, room, pad: "x".repeat(Math.max(bytes - 40, 0)) };
}

function createKey(): string {
  return randomBytes(18).toString("base64url");
}
