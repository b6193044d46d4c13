import { Code } from "@sluice/protocol";
import type { Call, CallListener, CallStart } from "../call/call.ts";
import { systemClock, type Timer } from "../backend/clock.ts";
import { deadlineStatus } from "../call/deadline.ts";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import { wrongNumberOfMessages } from "../wire/request-messages.ts";
import type { ResolvedShareRule } from "./share-rule.ts";

/** What a message that waits costs beside its bytes. */
const messageCost = 32;

/** What one client asks for. */
export interface SharedRequest {
  readonly start: CallStart;
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

/** A stream as one of its clients sees it. */
export interface Subscription {
  /** The client does not listen any more. */
  leave(subscriber: Subscriber): void;
}

/** What a subscriber needs beside its call. */
export interface SubscriberOptions {
  readonly start: CallStart;
  readonly rule: ResolvedShareRule;
  /** Called once, when the request is whole. */
  readonly join: (subscriber: Subscriber, request: SharedRequest) => Subscription;
}

type State =
  /** The request is not whole. */
  | { readonly kind: "asking" }
  | { readonly kind: "joined"; readonly subscription: Subscription }
  /** The stream has ended, and the client has not heard all of it. */
  | { readonly kind: "ending"; readonly status: Status; readonly trailers: Metadata }
  | { readonly kind: "over" };

/** One client of a shared stream: its call, as the dialect holds it, and what waits for it. */
export class Subscriber implements Call {
  readonly #listener: CallListener;
  readonly #options: SubscriberOptions;
  readonly #timer: Timer | undefined;
  #state: State = { kind: "asking" };
  #request: SharedRequest | undefined;
  #headers: Metadata | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Nothing is told in the tick in which the client has joined. */
  #isHeld = true;
  #isPaused = false;

  constructor(listener: CallListener, options: SubscriberOptions) {
    this.#listener = listener;
    this.#options = options;
    const { start } = options;
    if (start.timeout === undefined) return;
    this.#timer = systemClock.after(Math.max(start.timeout, 0), () =>
      this.cancel(deadlineStatus(start, "before the shared stream ended")),
    );
  }

  send(bytes: Uint8Array, isCompressed = false): boolean {
    const { start } = this.#options;
    if (this.#state.kind !== "asking") return false;
    if (this.#request === undefined) this.#request = { start, bytes, isCompressed };
    else this.cancel(wrongNumberOfMessages(start.method, "more than one message"));
    return true;
  }

  halfClose(): void {
    if (this.#state.kind !== "asking") return;
    const { join, start } = this.#options;
    if (this.#request === undefined) {
      this.cancel(wrongNumberOfMessages(start.method, "no message"));
      return;
    }
    this.#state = { kind: "joined", subscription: join(this, this.#request) };
    process.nextTick(() => {
      this.#isHeld = false;
      this.#flush();
    });
  }

  cancel(status: Status = createStatus(Code.CANCELLED, "the call was cancelled")): void {
    if (this.#state.kind === "joined") this.#state.subscription.leave(this);
    this.#finish(status, noMetadata);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#flush();
  }

  /** The stream has headers. */
  begin(metadata: Metadata): void {
    this.#headers = metadata;
    this.#flush();
  }

  /** The stream has a message, which is everybody's. */
  deliver(bytes: Uint8Array): void {
    if (!this.#isPaused && !this.#isHeld && this.#waiting.length === 0) {
      this.#listener.message(bytes);
      return;
    }
    const { slow, maxWaitingBytes } = this.#options.rule;
    if (slow === "latest") this.#dropWaiting();
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length + messageCost;
    // One message may always wait, or a large one could reach nobody who joins behind it.
    if (this.#waiting.length === 1 || this.#waitingBytes <= maxWaitingBytes) return;
    const what = `more than ${maxWaitingBytes} bytes of a shared stream wait for a client that reads too slowly`;
    this.cancel(createStatus(Code.RESOURCE_EXHAUSTED, what));
  }

  /** The stream has ended. */
  end(status: Status, trailers: Metadata): void {
    if (this.#state.kind === "over") return;
    this.#state = { kind: "ending", status, trailers };
    this.#flush();
  }

  /** Tells what waits, as far as the client takes it. */
  #flush(): void {
    if (this.#isHeld) return;
    if (this.#headers !== undefined) {
      const headers = this.#headers;
      this.#headers = undefined;
      this.#listener.headers(headers);
    }
    const waiting = this.#waiting;
    let told = 0;
    // Telling a message may pause this, or end it.
    while (!this.#isPaused && told < waiting.length) {
      const message = waiting[told++] as Uint8Array;
      this.#waitingBytes -= message.length + messageCost;
      this.#listener.message(message);
      if (this.#state.kind === "over") return;
    }
    waiting.splice(0, told);
    const state = this.#state;
    if (state.kind === "ending" && waiting.length === 0) this.#finish(state.status, state.trailers);
  }

  #dropWaiting(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #finish(status: Status, trailers: Metadata): void {
    if (this.#state.kind === "over") return;
    this.#state = { kind: "over" };
    this.#timer?.cancel();
    this.#dropWaiting();
    this.#listener.end(status, trailers);
  }
}
