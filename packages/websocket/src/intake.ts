import type { Duplex } from "node:stream";
import type { FrameParser } from "./frame-parser.ts";

/**
 * Decides whether bytes flow from a socket to a parser: not while the application has paused, and not while a message
 * is being worked on that nothing may overtake.
 */
export class Intake {
  readonly #socket: Duplex;
  readonly #parser: FrameParser;
  #paused = false;
  #suspended = false;
  /** What was worked on, when it was ready while the application had paused. */
  #postponed: (() => void) | undefined;

  constructor(socket: Duplex, parser: FrameParser) {
    this.#socket = socket;
    this.#parser = parser;
  }

  /** Whether nothing is read. */
  get isPaused(): boolean {
    return this.#paused || this.#suspended;
  }

  /** Whether something that came before is still to be handed out. */
  get isHolding(): boolean {
    return this.#suspended || this.#postponed !== undefined || this.#parser.holding;
  }

  pause(): void {
    this.#paused = true;
    this.#stopFlow();
  }

  /** Ends a pause; when something is held, `readHeld()` must follow. */
  resume(): void {
    this.#paused = false;
    if (!this.isHolding) this.#flow();
  }

  suspend(): void {
    this.#suspended = true;
    this.#stopFlow();
  }

  /** Ends a suspension with what is to be done first; `readHeld()` must follow. */
  proceed(rest: () => void): void {
    this.#suspended = false;
    this.#postponed = rest;
  }

  /** Hands out what is held, as far as that is allowed now. */
  readHeld(): void {
    if (this.#paused || this.#suspended) return;
    const rest = this.#postponed;
    this.#postponed = undefined;
    rest?.();
    this.#flow();
  }

  /** Drops everything. */
  stop(): void {
    this.#parser.stop();
    this.#suspended = false;
    this.#postponed = undefined;
  }

  #stopFlow(): void {
    this.#parser.pause();
    this.#socket.pause();
  }

  /** What the parser holds may pause or suspend again. */
  #flow(): void {
    if (!this.#paused && !this.#suspended) this.#parser.resume();
    if (!this.#paused && !this.#suspended) this.#socket.resume();
  }
}
