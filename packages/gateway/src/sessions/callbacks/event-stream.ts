import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code } from "@sluice/protocol";
import type { Clock, Timer } from "@sluice/hub";
import { createStatus, type Backend, type Call, type Metadata, type Status } from "@sluice/rpc";
import { StatusSchema, type Status as ErrorStatus } from "../generated/google/rpc/status_pb.ts";
import {
  StreamRequestSchema,
  StreamResponseSchema,
  type StreamResponse,
} from "../generated/sluice/session/v1/session_pb.ts";
import { sessionMethod } from "../schemas.ts";
import type { HookEvent, HookName, Outcome } from "./hook.ts";

/** An event that has not been answered. */
interface Pending {
  readonly hook: HookName;
  readonly bytes: Uint8Array;
  readonly timer: Timer;
  readonly settle: (outcome: Outcome) => void;
  isSent: boolean;
}

/** A stream that is open, or on its way to be. */
interface OpenStream {
  readonly call: Call;
  /** Whether the last `send` said to go on. */
  isFree: boolean;
}

/** What an event stream needs. */
export interface EventStreamOptions {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly clock: Clock;
  /** Told of answers that nobody waits for. */
  readonly report: (problem: string) => void;
}

const greatestId = 0xffff_ffff;

/** Statuses that another attempt would not change. */
const lasting: ReadonlySet<number> = new Set([
  Code.UNIMPLEMENTED,
  Code.UNAUTHENTICATED,
  Code.PERMISSION_DENIED,
]);

/**
 * Events of many sessions on one `SessionHandler.Stream`, each settled by the answer with its id. The stream is opened by
 * the first event, and by the next one after it ended. Events that the stream has no room for wait here.
 */
export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #pending = new Map<number, Pending>();
  /** Ids in the order in which they are to be sent; some may have been settled since. */
  #unsent: number[] = [];
  #stream: OpenStream | undefined;
  #lastId = 0;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  /** Events without an answer. */
  get size(): number {
    return this.#pending.size;
  }

  /** As `Caller.call`. */
  call(event: HookEvent, timeoutMs: number, settle: (outcome: Outcome) => void): void {
    const id = this.#nextId();
    const request = create(StreamRequestSchema, { id, timeoutMs: Math.ceil(timeoutMs), event });
    const bytes = toBinary(StreamRequestSchema, request);
    const timer = this.#options.clock.after(timeoutMs, () => {
      const late = `the backend did not answer ${event.case} within ${timeoutMs} ms`;
      this.#settle(id, { failure: createStatus(Code.DEADLINE_EXCEEDED, late) });
    });
    this.#pending.set(id, { hook: event.case, bytes, timer, settle, isSent: false });
    this.#unsent.push(id);
    this.#flush();
  }

  /** Ends the stream, and with it all events that wait. */
  close(status: Status): void {
    const stream = this.#stream;
    if (stream === undefined) this.#ended(status);
    else stream.call.cancel(status);
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === greatestId ? 1 : this.#lastId + 1;
    while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #flush(): void {
    const stream = (this.#stream ??= this.#open());
    let sent = 0;
    for (const id of this.#unsent) {
      if (!stream.isFree) break;
      sent++;
      const pending = this.#pending.get(id);
      if (pending === undefined) continue;
      pending.isSent = true;
      stream.isFree = stream.call.send(pending.bytes);
    }
    this.#unsent.splice(0, sent);
  }

  #open(): OpenStream {
    const { backend, metadata } = this.#options;
    const call = backend.open(
      { method: sessionMethod("Stream"), metadata },
      {
        headers: () => undefined,
        message: (bytes) => this.#received(bytes, call),
        drain: () => {
          if (this.#stream?.call !== call) return;
          this.#stream.isFree = true;
          this.#flush();
        },
        end: (status) => {
          if (this.#stream?.call !== call) return;
          this.#stream = undefined;
          this.#ended(status);
        },
      },
    );
    return { call, isFree: true };
  }

  #received(bytes: Uint8Array, call: Call): void {
    let response: StreamResponse;
    try {
      response = fromBinary(StreamResponseSchema, bytes);
    } catch {
      call.cancel(createStatus(Code.INTERNAL, "the backend sent something that is no StreamResponse"));
      return;
    }
    const { id, answer } = response;
    const pending = this.#pending.get(id);
    if (pending === undefined || !pending.isSent) {
      this.#options.report(`the backend answered the event ${id}, for which nobody waits`);
    } else if (answer.case === "error") {
      this.#settle(id, { failure: statusFrom(answer.value) });
    } else if (answer.case === pending.hook) {
      this.#settle(id, { answer });
    } else {
      const wrong = `the backend answered ${pending.hook} with ${answer.case ?? "nothing"}`;
      this.#settle(id, { failure: createStatus(Code.INTERNAL, wrong) });
    }
  }

  #settle(id: number, outcome: Outcome): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.timer.cancel();
    pending.settle(outcome);
  }

  /** The stream is over: of what was sent nobody knows what became of it, unless the server never saw the stream. */
  #ended(status: Status): void {
    const pending = [...this.#pending];
    const failure = failureOf(status);
    const unsent: Status = { ...failure, isUnprocessed: true };
    this.#unsent = [];
    for (const [id, { isSent }] of pending) this.#settle(id, { failure: isSent ? failure : unsent });
  }
}

function failureOf(status: Status): Status {
  if (status.code === Code.UNAVAILABLE || lasting.has(status.code)) return status;
  const why = status.message === "" ? "" : `: ${status.message}`;
  return createStatus(Code.UNAVAILABLE, `the backend ended the stream of events${why}`);
}

function statusFrom(status: ErrorStatus): Status {
  if (status.code === Code.OK) {
    return createStatus(Code.INTERNAL, "the backend answered with an error whose code is OK");
  }
  const { code, message } = status;
  if (status.details.length === 0) return { code, message };
  return { code, message, details: toBinary(StatusSchema, status) };
}
