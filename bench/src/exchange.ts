import { randomInt } from "node:crypto";
import type { Conversation } from "./conversation.ts";
import { HttpResponseReader } from "./http-response.ts";

/** A request of HTTP/1.1, and what has to come back. */
export interface ExchangeOptions {
  readonly request: Buffer;
  /** How many messages the reply has. */
  readonly messages: number;
  /** Throws an `Error` for a body that is not the right answer. */
  readonly check: (body: Buffer) => void;
}

/** A request that is made again and again: the first reply is read, and all others are the same to the byte. */
export class Exchange {
  readonly request: Buffer;
  readonly messages: number;
  readonly #check: (body: Buffer) => void;
  /** The body of the reply, once one was read. */
  #known: Buffer | undefined;

  constructor({ request, messages, check }: ExchangeOptions) {
    this.request = request;
    this.messages = messages;
    this.#check = check;
  }

  get known(): Buffer | undefined {
    return this.#known;
  }

  /** Takes a whole body. Throws an `Error` when it is wrong. */
  learn(body: Buffer): void {
    this.#check(body);
    this.#known = body;
  }
}

/** One connection's requests, in turn, and what is read of their replies. */
export class ExchangeConversation implements Conversation {
  readonly messages: number;
  readonly #exchanges: readonly Exchange[];
  readonly #reader = new HttpResponseReader((bytes) => this.#body(bytes));
  /** Connections begin at different ones, so that they do not all ask the same. */
  #turn: number;
  #held: Buffer[] = [];
  #received = 0;
  #current: Exchange | undefined;
  /** The body that has to come, as it was known when the request was made. */
  #known: Buffer | undefined;

  /** All of `exchanges` have the same number of messages. */
  constructor(exchanges: readonly Exchange[]) {
    this.#exchanges = exchanges;
    this.#turn = randomInt(exchanges.length);
    this.messages = exchanges[0]?.messages ?? 0;
  }

  nextRequest(): Buffer {
    const exchange = this.#exchanges[this.#turn++ % this.#exchanges.length];
    if (exchange === undefined) throw new Error("there is nothing to ask");
    this.#current = exchange;
    this.#known = exchange.known;
    this.#received = 0;
    return exchange.request;
  }

  receive(bytes: Buffer): boolean {
    if (!this.#reader.push(bytes)) return false;
    if (this.#known === undefined) {
      this.#current?.learn(Buffer.concat(this.#held));
      this.#held = [];
    } else if (this.#received !== this.#known.length) {
      throw new Error(`${this.#received} bytes came back, not ${this.#known.length} as before`);
    }
    return true;
  }

  #body(bytes: Buffer): void {
    const from = this.#received;
    this.#received += bytes.length;
    if (this.#known === undefined) this.#held.push(Buffer.from(bytes));
    else if (this.#received > this.#known.length || bytes.compare(this.#known, from, this.#received) !== 0)
      throw new Error(`other bytes came back than before, between ${from} and ${this.#received}`);
  }
}
