import { type Call, type CallStart, Code, type Metadata, noMetadata, type Status } from "@sluice/protocol";
import { CallError } from "./call-error.ts";
import type { Connection } from "./connection.ts";

/** One who waits for the next message. */
interface Reader {
  readonly resolve: (message: Uint8Array | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** How a call is: `ending` while messages that came before its end are still to be read. */
type State =
  | { readonly kind: "open" }
  | { readonly kind: "ending" | "ended"; readonly error: Error | undefined; readonly trailers: Metadata };

/** One call as its caller holds it: messages as bytes, with promises in the place of callbacks. */
export class CallStream {
  /** The response's headers, once they or the end have come. Rejects with what ended the call before them. */
  readonly headers: Promise<Metadata>;
  readonly #call: Call | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #readers: Reader[] = [];
  #messages: Uint8Array[] = [];
  #state: State = { kind: "open" };
  #isHalfClosed = false;
  #headers: Metadata = noMetadata;
  #resolveHeaders: (metadata: Metadata) => void = () => {};
  #rejectHeaders: (error: unknown) => void = () => {};
  /** Those who wait until more can be sent. */
  #writers: (() => void)[] = [];
  #source: AsyncIterator<unknown> | undefined;
  readonly #abort = (): void =>
    this.fail(
      new CallError(
        { code: Code.CANCELLED, message: "the caller aborted the call" },
        noMetadata,
        this.#signal?.reason,
      ),
    );

  /** Opens the call, unless `signal` is aborted already. */
  constructor(connection: Connection, start: CallStart, signal?: AbortSignal) {
    this.headers = new Promise((resolve, reject) => {
      this.#resolveHeaders = resolve;
      this.#rejectHeaders = reject;
    });
    // Not everyone asks for them; whoever reads messages is told of the same error.
    this.headers.catch(() => {});
    this.#signal = signal;
    if (signal?.aborted === true) {
      this.#abort();
      return;
    }
    signal?.addEventListener("abort", this.#abort);
    this.#call = connection.open(start, {
      headers: (metadata) => {
        this.#headers = metadata;
        this.#resolveHeaders(metadata);
      },
      message: (bytes) => this.#take(bytes),
      drain: () => this.#wakeWriters(),
      end: (status, trailers) => this.#end(status, trailers),
    });
  }

  /** The trailers, when everything has been read; none before. */
  get trailers(): Metadata {
    return this.#state.kind === "ended" ? this.#state.trailers : noMetadata;
  }

  /**
   * The next message; undefined after the last one. Rejects with a `CallError`, or with what `fail` was called with.
   * While nobody asks, the server is held up.
   */
  next(): Promise<Uint8Array | undefined> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      if (this.#messages.length === 0) {
        if (this.#state.kind === "open") this.#call?.resume();
        else this.#state = { ...this.#state, kind: "ended" };
      }
      return Promise.resolve(message);
    }
    if (this.#state.kind === "open") {
      return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    }
    const { error } = this.#state;
    return error === undefined ? Promise.resolve(undefined) : Promise.reject(error);
  }

  /** The only message, of a call that has one. Rejects with UNIMPLEMENTED where there is none, or more than one. */
  async only(): Promise<Uint8Array> {
    const message = await this.next();
    if (message !== undefined && (await this.next()) === undefined) return message;
    const text = `the server answered ${message === undefined ? "no message" : "more than one message"} where one is expected`;
    const error = new CallError({ code: Code.UNIMPLEMENTED, message: text });
    this.fail(error);
    throw error;
  }

  /**
   * Sends a message. Resolves when there is room for the next one: true, or false where the call has ended. Throws where
   * it was half-closed.
   */
  send(message: Uint8Array): boolean | Promise<boolean> {
    if (this.#state.kind !== "open") return false;
    if (this.#isHalfClosed) throw new Error("no request can follow the end of the requests, or the only one");
    if (this.#call?.send(message) === true) return true;
    return new Promise((resolve) => this.#writers.push(() => resolve(this.#state.kind === "open")));
  }

  /** Says that no further message follows. */
  halfClose(): void {
    this.#isHalfClosed = true;
    this.#call?.halfClose();
  }

  /** Sends the only message of a call that has one. */
  sendOnly(message: Uint8Array): void {
    this.#call?.send(message);
    this.halfClose();
  }

  /**
   * Sends all that `source` has, asking for the next one when there is room, and half-closes. What it throws fails the
   * call. It is told (`return`) when the call has ended before it.
   */
  async sendAll<Request>(
    source: AsyncIterable<Request>,
    encode: (request: Request) => Uint8Array,
  ): Promise<void> {
    try {
      const iterator = source[Symbol.asyncIterator]();
      this.#source = iterator;
      while (this.#state.kind === "open") {
        const result = await iterator.next();
        if (result.done === true) {
          this.#source = undefined;
          return this.halfClose();
        }
        await this.send(encode(result.value));
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new CallError(unknown(error), noMetadata, error));
    }
    this.#leaveSource();
  }

  /** Ends the call on this side, with everything that has not been read. */
  fail(error: Error): void {
    if (this.#state.kind === "ended") return;
    const wasOpen = this.#state.kind === "open";
    this.#messages = [];
    this.#settle({ kind: "ended", error, trailers: noMetadata });
    if (wasOpen) this.#call?.cancel();
  }

  /** The caller wants no more. */
  cancel(): void {
    this.fail(new CallError({ code: Code.CANCELLED, message: "the caller left the call" }));
  }

  #take(message: Uint8Array): void {
    if (this.#state.kind !== "open") return;
    const reader = this.#readers.shift();
    if (reader !== undefined) return reader.resolve(message);
    this.#messages.push(message);
    this.#call?.pause();
  }

  #end(status: Status, trailers: Metadata): void {
    if (this.#state.kind !== "open") return;
    const isLast = this.#messages.length === 0;
    const error =
      status.code === Code.OK ? undefined : new CallError(status, joinMetadata(this.#headers, trailers));
    this.#settle({ kind: isLast ? "ended" : "ending", error, trailers });
  }

  #settle(state: Exclude<State, { kind: "open" }>): void {
    const { error } = state;
    this.#state = state;
    this.#signal?.removeEventListener("abort", this.#abort);
    if (error === undefined) this.#resolveHeaders(this.#headers);
    else this.#rejectHeaders(error);
    for (const { resolve, reject } of this.#readers.splice(0)) {
      if (error === undefined) resolve(undefined);
      else reject(error);
    }
    this.#wakeWriters();
    this.#leaveSource();
  }

  #wakeWriters(): void {
    for (const wake of this.#writers.splice(0)) wake();
  }

  #leaveSource(): void {
    const source = this.#source;
    this.#source = undefined;
    // What it does then is its own affair: the call is over.
    source?.return?.().then(undefined, () => {});
  }
}

/** The metadata of both; the values of a name that both have, one after the other. */
function joinMetadata(first: Metadata, second: Metadata): Metadata {
  // Names come from the server, and "constructor" is one.
  const joined: Record<string, string | readonly string[]> = Object.assign(Object.create(null), first);
  for (const name in second) {
    const values = second[name] ?? [];
    joined[name] = name in joined ? [joined[name] ?? [], values].flat() : values;
  }
  return joined;
}

function unknown(error: unknown): Status {
  return { code: Code.UNKNOWN, message: String(error) };
}
