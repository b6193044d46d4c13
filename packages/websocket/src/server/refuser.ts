import { checkRefusal, type Refusal } from "../handshake/refusal.ts";
import type { Opening } from "./opening.ts";
import { noRefusals, type RefusalCounts, type RefusalReason, type RefusedRequest } from "./refusals.ts";
import { throwOn } from "./throw-on.ts";

/** Answers no, and keeps count of it. */
export class Refuser {
  readonly #retryAfter: string;
  readonly #refused: ((refused: RefusedRequest) => void) | undefined;
  readonly #counts = noRefusals();

  constructor(retryAfterSeconds: number, refused: ((refused: RefusedRequest) => void) | undefined) {
    this.#retryAfter = String(Math.ceil(retryAfterSeconds));
    this.#refused = refused;
  }

  /** How many were refused so far. */
  get counts(): Readonly<RefusalCounts> {
    return this.#counts;
  }

  /** Refuses for good. Throws where the refusal cannot be sent, and then nothing is. */
  refuse(opening: Opening, reason: RefusalReason, refusal: Refusal): void {
    checkRefusal(refusal);
    opening.refuse(refusal);
    this.#count(opening, reason, refusal.status);
  }

  /** Refuses for now. */
  later(opening: Opening, reason: RefusalReason, status: number, message: string): void {
    this.refuse(opening, reason, { status, message, headers: { "Retry-After": this.#retryAfter } });
  }

  /** Refuses because the server closes. */
  closing(opening: Opening): void {
    this.later(opening, "server_closing", 503, "The server closes.");
  }

  /** Refuses because a function of the application threw; the client is not told what. */
  fail(opening: Opening, cause: unknown): void {
    opening.refuse({ status: 500, message: "The server failed." });
    this.#count(opening, "failed", 500, { cause });
  }

  /** Gives up a client that has left. */
  left(opening: Opening): void {
    opening.socket.destroy();
    this.#count(opening, "client_left", undefined);
  }

  #count(
    { request }: Opening,
    reason: RefusalReason,
    status: number | undefined,
    details: { readonly cause?: unknown } = {},
  ): void {
    this.#counts[reason]++;
    try {
      this.#refused?.({ reason, status, request, ...details });
    } catch (error) {
      throwOn(error);
    }
  }
}
