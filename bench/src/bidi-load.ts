import { createNotes } from "./bidi-notes.ts";
import type { BidiConnection, BidiWire } from "./bidi-wires.ts";
import type { Load } from "./contest.ts";

/** Which calls are made, and where. */
export interface BidiLoadOptions {
  readonly port: number;
  readonly wire: BidiWire;
  readonly connections: number;
  /** Calls on each connection. */
  readonly calls: number;
  /** Size of each message. */
  readonly bytes: number;
  /** Messages that each call has under way. */
  readonly window: number;
}

/** Calls that stay open, each sending its message again as soon as it has come back, one or more of them at a time. */
export class BidiLoad implements Load {
  readonly #connections: BidiConnection[] = [];
  readonly #calls: number;
  readonly #window: number;
  #deadline = 0;
  #messages = 0;
  #running = 0;
  #failure: Error | undefined;
  #settle: (error?: Error) => void = () => {};

  private constructor({ calls, window }: BidiLoadOptions) {
    this.#calls = calls;
    this.#window = window;
  }

  /** Opens the connections and their calls. Rejects when one of them is refused. */
  static async open(options: BidiLoadOptions): Promise<BidiLoad> {
    const load = new BidiLoad(options);
    for (let opened = 0; opened < options.connections; opened++) await load.#connect(options);
    return load;
  }

  run(milliseconds: number): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#messages = 0;
    this.#running = this.#connections.length * this.#calls * this.#window;
    this.#deadline = performance.now() + milliseconds;
    return new Promise((resolve, reject) => {
      this.#settle = (error) => {
        if (error === undefined) resolve(this.#messages);
        else reject(error);
      };
      for (const connection of this.#connections) {
        for (let call = 0; call < this.#calls; call++) {
          for (let sent = 0; sent < this.#window; sent++) connection.send(call);
        }
      }
    });
  }

  /** Does nothing but pass over what comes then: the connections end with the gateway, which has nothing to log so. */
  close(): void {
    this.#settle = () => {};
  }

  async #connect({ port, wire, calls, bytes }: BidiLoadOptions): Promise<void> {
    const connection = await wire.open({
      port,
      notes: createNotes(calls, bytes),
      replied: (call) => {
        this.#messages++;
        if (performance.now() < this.#deadline) connection.send(call);
        else if (--this.#running === 0) this.#settle();
      },
      failed: (error) => {
        this.#failure ??= error;
        this.#settle(this.#failure);
      },
    });
    this.#connections.push(connection);
  }
}
