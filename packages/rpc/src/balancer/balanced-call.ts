import { Code } from "@sluice/protocol";
import type { Clock, Timer } from "../backend/clock.ts";
import type { Call, CallListener, CallStart } from "../call/call.ts";
import { deadlineStatus } from "../call/deadline.ts";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { Address } from "./address.ts";
import { withPreviousAttempts, type RetryPolicy } from "./retry-policy.ts";

/** What a call asks of the balancer that it belongs to. */
export interface CallOwner {
  /** The target, for messages. */
  readonly target: string;
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  /** From how many kept bytes on `send` answers false, as long as there is no address. */
  readonly sendBufferBytes: number;
  /**
   * An address, other than `avoid` where there is another; undefined when the call has to wait, and will be told
   * with `run` or `fail`; a status when there is none and will be none.
   */
  acquire(call: BalancedCall, avoid: Address | undefined): Address | Status | undefined;
  /** The call rests until its next attempt; a shutdown ends that with `fail`. */
  rest(call: BalancedCall): void;
  /** The call neither waits nor rests any more. */
  forget(call: BalancedCall): void;
}

type State =
  | { readonly kind: "waiting"; readonly deadline: Timer | undefined }
  | { readonly kind: "resting"; readonly timer: Timer }
  | { readonly kind: "running"; readonly address: Address; readonly call: Call }
  | { readonly kind: "ended" };

const fresh: State = { kind: "waiting", deadline: undefined };
const ended: State = { kind: "ended" };

/** A request message that another attempt would send again. */
interface Kept {
  readonly message: Uint8Array;
  readonly isCompressed: boolean | undefined;
}

/**
 * An answer of one message, until its status is there: a server that dies between the two is no reason to lose
 * the call.
 */
interface Held {
  readonly metadata: Metadata;
  readonly encoding: string | undefined;
  message: Uint8Array | undefined;
  isCompressed: boolean | undefined;
}

/** What an attempt came to that did not answer. */
interface Failure {
  readonly status: Status;
  readonly trailers: Metadata;
}

/** One call: it waits for an address, runs there, and runs again elsewhere where that is safe. */
export class BalancedCall implements Call, CallListener {
  readonly #owner: CallOwner;
  readonly #start: CallStart;
  readonly #listener: CallListener;
  #deadline: number | undefined;
  #state: State = fresh;
  #attempts = 0;
  #failure: Failure | undefined;
  /** Undefined when there will be no other attempt. */
  #kept: Kept[] | undefined = [];
  #keptBytes = 0;
  #held: Held | undefined;
  #isHalfClosed = false;
  #isPaused = false;
  /** Whether a `send` answered false, so that `drain` is owed. */
  #isBlocked = false;
  #isCancelled = false;
  /** Whether no attempt before this one can have been looked at. */
  #isUnprocessed = true;

  constructor(owner: CallOwner, start: CallStart, listener: CallListener) {
    this.#owner = owner;
    this.#start = start;
    this.#listener = listener;
  }

  /** Begins the call; the listener hears nothing before this has returned. */
  begin(): void {
    const { timeout } = this.#start;
    if (timeout !== undefined) this.#deadline = this.#owner.clock.now() + Math.max(0, timeout);
    const answer = this.#owner.acquire(this, undefined);
    if (answer === undefined) this.#wait();
    else if ("code" in answer) process.nextTick(() => this.fail(answer));
    else this.run(answer);
  }

  send(message: Uint8Array, isCompressed?: boolean): boolean {
    const state = this.#state;
    if (state.kind === "ended" || this.#isHalfClosed) return false;
    if (this.#kept !== undefined) this.#keep(this.#kept, { message, isCompressed });
    if (state.kind === "running") this.#isBlocked = !state.call.send(message, isCompressed);
    else if (this.#keptBytes >= this.#owner.sendBufferBytes) this.#isBlocked = true;
    return !this.#isBlocked;
  }

  sendView(message: Uint8Array, isCompressed?: boolean): boolean {
    const state = this.#state;
    if (state.kind !== "running" || this.#kept !== undefined || state.call.sendView === undefined) {
      return this.send(Buffer.from(message), isCompressed);
    }
    if (this.#isHalfClosed) return false;
    this.#isBlocked = !state.call.sendView(message, isCompressed);
    return !this.#isBlocked;
  }

  halfClose(): void {
    this.#isHalfClosed = true;
    if (this.#state.kind === "running") this.#state.call.halfClose();
  }

  cancel(status: Status = createStatus(Code.CANCELLED, "the call was cancelled")): void {
    this.#isCancelled = true;
    this.#held = undefined;
    if (this.#state.kind === "running") this.#state.call.cancel(status);
    else this.#abort(status, noMetadata);
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#state.kind === "running") this.#state.call.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#state.kind === "running") this.#state.call.resume();
  }

  /** There is an address for this call. */
  run(address: Address): void {
    if (this.#state.kind === "waiting") this.#state.deadline?.cancel();
    const call = address.open(this.#attemptStart(), this);
    this.#attempts++;
    this.#state = { kind: "running", address, call };
    if (this.#isPaused) call.pause();
    let isFree = true;
    for (const { message, isCompressed } of this.#kept ?? []) isFree = call.send(message, isCompressed);
    if (this.#isHalfClosed) call.halfClose();
    const { retry } = this.#owner;
    if (!retry.covers(this.#start.method) || this.#keptBytes > retry.bufferBytes) this.#kept = undefined;
    if (this.#isBlocked && isFree) this.drain();
  }

  /** There is no address for this call. */
  fail(status: Status): void {
    // What a server said, or how its connection was lost, tells more than that there is no other one.
    if (this.#failure === undefined) this.#abort({ ...status, isUnprocessed: true }, noMetadata);
    else this.#abort(this.#failure.status, this.#failure.trailers);
  }

  headers(metadata: Metadata, encoding?: string): void {
    if (this.#kept !== undefined && this.#hasOneReply) {
      this.#held = { metadata, encoding, message: undefined, isCompressed: undefined };
      return;
    }
    this.#kept = undefined;
    this.#listener.headers(metadata, encoding);
  }

  message(bytes: Uint8Array, isCompressed?: boolean): void {
    if (this.#held === undefined) return this.#listener.message(bytes, isCompressed);
    this.#held.message = this.#start.takesViews === true ? Buffer.from(bytes) : bytes;
    this.#held.isCompressed = isCompressed;
  }

  drain(): void {
    this.#isBlocked = false;
    this.#listener.drain();
  }

  end(status: Status, trailers: Metadata): void {
    if (this.#state.kind !== "running") return;
    const { address } = this.#state;
    const delay = this.#isCancelled
      ? this.#cancelled(address, status)
      : this.#over(address, status, trailers);
    if (delay === undefined) return this.#finish(this.#ofAllAttempts(status), trailers);
    this.#isUnprocessed &&= status.isUnprocessed === true;
    this.#failure = { status, trailers };
    this.#held = undefined;
    this.#state = { kind: "resting", timer: this.#owner.clock.after(delay, () => this.#again(address)) };
    this.#owner.rest(this);
  }

  /** The status of the last attempt, which knows nothing of those before. */
  #ofAllAttempts(status: Status): Status {
    if (this.#isUnprocessed || status.isUnprocessed === undefined) return status;
    const { isUnprocessed: _ofThisAttempt, ...rest } = status;
    return rest;
  }

  /** An attempt ended because this side wanted it; what it ended with says nothing of the server. */
  #cancelled(address: Address, { code }: Status): undefined {
    address.end(code === Code.DEADLINE_EXCEEDED ? code : Code.CANCELLED, this.#start.timeout);
  }

  /** An attempt ended by itself; answers the milliseconds until the next one. */
  #over(address: Address, status: Status, trailers: Metadata): number | undefined {
    const { retry } = this.#owner;
    address.end(status.code, this.#start.timeout);
    retry.account(status);
    if (this.#kept === undefined) return undefined;
    return retry.delay(this.#attempts, status, trailers, this.#timeLeft());
  }

  #again(failed: Address): void {
    this.#owner.forget(this);
    const answer = this.#owner.acquire(this, failed);
    if (answer === undefined) this.#wait();
    else if ("code" in answer) this.fail(answer);
    else this.run(answer);
  }

  #wait(): void {
    const deadline =
      this.#deadline === undefined
        ? undefined
        : this.#owner.clock.after(Math.max(0, this.#timeLeft()), () => this.#late());
    this.#state = { kind: "waiting", deadline };
  }

  #late(): void {
    const { target } = this.#owner;
    const status = deadlineStatus(this.#start, `while it waited for an address of ${target}`);
    this.#abort(status, noMetadata);
  }

  #timeLeft(): number {
    return this.#deadline === undefined ? Number.POSITIVE_INFINITY : this.#deadline - this.#owner.clock.now();
  }

  /** The start of an attempt that begins now. */
  #attemptStart(): CallStart {
    if (this.#state === fresh) return this.#start;
    const { metadata } = this.#start;
    return {
      ...this.#start,
      metadata: this.#attempts === 0 ? metadata : withPreviousAttempts(metadata, this.#attempts),
      ...(this.#deadline === undefined ? {} : { timeout: Math.max(0, this.#timeLeft()) }),
    };
  }

  #keep(kept: Kept[], message: Kept): void {
    this.#keptBytes += message.message.length;
    const isTooMuch = this.#keptBytes > this.#owner.retry.bufferBytes;
    // Without an attempt, what is kept has not been sent at all.
    if (isTooMuch && this.#state.kind === "running") this.#kept = undefined;
    else kept.push(message);
  }

  /** Ends the call while it has no attempt. */
  #abort(status: Status, trailers: Metadata): void {
    const state = this.#state;
    if (state.kind === "ended" || state.kind === "running") return;
    if (state.kind === "waiting") state.deadline?.cancel();
    else state.timer.cancel();
    this.#owner.forget(this);
    this.#finish(status, trailers);
  }

  #finish(status: Status, trailers: Metadata): void {
    this.#state = ended;
    this.#kept = undefined;
    if (this.#held !== undefined) this.#release(this.#held);
    this.#listener.end(status, trailers);
  }

  #release({ metadata, encoding, message, isCompressed }: Held): void {
    this.#listener.headers(metadata, encoding);
    if (message !== undefined) this.#listener.message(message, isCompressed);
  }

  get #hasOneReply(): boolean {
    const { kind } = this.#start.method;
    return kind === "unary" || kind === "client_streaming";
  }
}
