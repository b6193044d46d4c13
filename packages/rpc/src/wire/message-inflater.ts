import type { Status } from "../call/status.ts";
import { inflate, type Inflated } from "./compression.ts";

/** What comes out of an inflater, in the order in which it went in. */
export interface InflaterListener {
  message(bytes: Uint8Array): void;
  /** After the last message; never together with `failed`. */
  end(): void;
  /** A message cannot be inflated; nothing follows. */
  failed(status: Status): void;
  /** A message takes a while (true), and now it is done (false). What is pushed meanwhile is held. */
  busy(isBusy: boolean): void;
}

interface Held {
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "busy"; readonly held: Held[]; hasEnded: boolean }
  | { readonly kind: "over" };

const idle: State = { kind: "idle" };
const over: State = { kind: "over" };

/** Inflates the compressed ones of a stream of messages, large ones in the thread pool, and keeps their order. */
export class MessageInflater {
  readonly #encoding: string;
  readonly #maxBytes: number;
  readonly #listener: InflaterListener;
  #state: State = idle;

  /** `encoding` must be a supported one; `maxBytes` is the largest message, inflated. */
  constructor(encoding: string, maxBytes: number, listener: InflaterListener) {
    this.#encoding = encoding;
    this.#maxBytes = maxBytes;
    this.#listener = listener;
  }

  push(bytes: Uint8Array, isCompressed: boolean): void {
    if (this.#state.kind === "busy") this.#state.held.push({ bytes, isCompressed });
    else if (this.#state.kind === "idle") this.#take(bytes, isCompressed);
  }

  /** No further message follows. */
  end(): void {
    if (this.#state.kind === "busy") {
      this.#state.hasEnded = true;
    } else if (this.#state.kind === "idle") {
      this.#state = over;
      this.#listener.end();
    }
  }

  /** Nothing that is still held or on the way is of interest any more. */
  stop(): void {
    this.#state = over;
  }

  #take(bytes: Uint8Array, isCompressed: boolean): void {
    // Some clients mark an empty message as compressed and send no bytes of the encoding.
    if (!isCompressed || bytes.length === 0) return this.#listener.message(bytes);
    const inflated = inflate(bytes, this.#encoding, this.#maxBytes, (later) => this.#done(later));
    if (inflated === undefined) {
      this.#state = { kind: "busy", held: [], hasEnded: false };
      this.#listener.busy(true);
    } else {
      this.#tell(inflated);
    }
  }

  #done(inflated: Inflated): void {
    const state = this.#state;
    if (state.kind !== "busy") return;
    this.#state = idle;
    this.#tell(inflated);
    for (const { bytes, isCompressed } of state.held) this.push(bytes, isCompressed);
    if (state.hasEnded) this.end();
    if (this.#isIdle()) this.#listener.busy(false);
  }

  #tell(inflated: Inflated): void {
    if (inflated.kind === "message") {
      this.#listener.message(inflated.bytes);
    } else {
      this.#state = over;
      this.#listener.failed(inflated.status);
    }
  }

  #isIdle(): boolean {
    return this.#state.kind === "idle";
  }
}
