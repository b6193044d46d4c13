import type { Clock, Timer } from "@sluice/websocket";

/** What is called with the answers: with an error and those that came, where not all came in time. */
export type AcksHandler = (error: Error | null, responses: unknown[]) => void;

/** The acknowledgements of one event by many clients, of one server or several. */
export class BroadcastAcks {
  readonly #handler: AcksHandler;
  readonly #timer: Timer;
  readonly #responses: unknown[] = [];
  #clients = 0;
  /** Servers that have told how many clients they asked, and how many servers there are. */
  #counted = 0;
  #servers: number | undefined;
  #isOver = false;

  /** The handler is called once: when all have answered, or when the time is over. */
  constructor(clock: Clock, milliseconds: number, handler: AcksHandler) {
    this.#handler = handler;
    this.#timer = clock.after(milliseconds, () => this.fail(new Error("operation has timed out")));
  }

  /** How many answers are missing, as far as is known. */
  get missing(): number {
    return this.#clients - this.#responses.length;
  }

  /** How many servers there are is known. */
  expect(servers: number): void {
    this.#servers = servers;
    this.#check();
  }

  /** A server tells how many clients it has asked. */
  readonly counted = (clients: number): void => {
    this.#counted++;
    this.#clients += clients;
    this.#check();
  };

  /** A client has answered. */
  readonly acknowledged = (response?: unknown): void => {
    if (this.#isOver) return;
    this.#responses.push(response);
    this.#check();
  };

  /** Gives up. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.cancel();
    this.#handler(error, this.#responses);
  }

  #check(): void {
    if (this.#isOver || this.#counted !== this.#servers || this.missing > 0) return;
    this.#isOver = true;
    this.#timer.cancel();
    this.#handler(null, this.#responses);
  }
}
