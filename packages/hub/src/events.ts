import type { Handled, HubEvents } from "./handlers.ts";
import type { Session } from "./session.ts";

type Handler<Name extends keyof HubEvents> = (...args: HubEvents[Name]) => Handled;
type Handlers = { readonly [Name in keyof HubEvents]: Handler<Name>[] };

/** The handlers of a hub. What one of them throws or rejects with goes to the handlers of errors, and no further. */
export class Events {
  readonly #handlers: Handlers = {
    connect: [],
    disconnect: [],
    message: [],
    messageBinary: [],
    receive: [],
    sentMessage: [],
    sentMessageBinary: [],
    drain: [],
    pong: [],
    close: [],
    away: [],
    resume: [],
    drop: [],
    room: [],
  };
  readonly #errorHandlers: ((session: Session | undefined, error: unknown) => void)[] = [];
  #errors = 0;
  #isTelling = false;
  /** What happened while handlers were called. */
  #later: (() => void)[] | undefined;

  /** How many errors there were. */
  get errors(): number {
    return this.#errors;
  }

  /** Adds a handler. */
  on<Name extends keyof HubEvents>(name: Name, handler: Handler<Name>): void {
    const handlers: Handler<Name>[] = this.#handlers[name];
    handlers.push(handler);
  }

  /** Adds a handler of errors. */
  onError(handler: (session: Session | undefined, error: unknown) => void): void {
    this.#errorHandlers.push(handler);
  }

  /** Whether anybody answers what clients say. */
  get answers(): boolean {
    return this.#handlers.receive.length > 0;
  }

  /** Whether anybody is told of what clients say. */
  get hears(): boolean {
    const { message, messageBinary, receive } = this.#handlers;
    return message.length > 0 || messageBinary.length > 0 || receive.length > 0;
  }

  /** Whether anybody is told of what is sent. */
  get tellsSent(): boolean {
    return this.#handlers.sentMessage.length > 0 || this.#handlers.sentMessageBinary.length > 0;
  }

  /**
   * Calls the handlers of an event, in the order in which they were added. What happens within one of them is told once
   * the others know of this: none hears of an end before its beginning.
   */
  emit<Name extends keyof HubEvents>(name: Name, session: Session, ...args: HubEvents[Name]): void {
    if (this.#handlers[name].length === 0) return;
    if (this.#isTelling) {
      (this.#later ??= []).push(() => this.#call(name, session, args));
      return;
    }
    this.#isTelling = true;
    try {
      this.#call(name, session, args);
      // Which may become more meanwhile.
      for (const call of this.#later ?? []) call();
    } finally {
      this.#later = undefined;
      this.#isTelling = false;
    }
  }

  /** Tells an error; where nobody is told, Node prints it as a warning. */
  error(session: Session | undefined, error: unknown): void {
    this.#errors++;
    if (this.#errorHandlers.length === 0) warn(error);
    for (const handler of this.#errorHandlers) {
      try {
        handler(session, error);
      } catch (failure) {
        warn(failure);
      }
    }
  }

  #call<Name extends keyof HubEvents>(name: Name, session: Session, args: HubEvents[Name]): void {
    const handlers: readonly Handler<Name>[] = this.#handlers[name];
    for (const handler of handlers) {
      try {
        const handled = handler(...args);
        if (handled instanceof Promise) handled.catch((error: unknown) => this.error(session, error));
      } catch (error) {
        this.error(session, error);
      }
    }
  }
}

function warn(error: unknown): void {
  const detail = error instanceof Error ? error.stack : undefined;
  process.emitWarning(`A handler of the hub failed: ${String(error)}`, {
    type: "SluiceHubWarning",
    ...(detail === undefined ? {} : { detail }),
  });
}
