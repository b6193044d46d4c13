import { Code } from "@sluice/protocol";
import type { Call, CallListener, CallStart } from "../call/call.ts";
import { deadlineStatus } from "../call/deadline.ts";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import { Attempt, type AttemptListener, type ResponseHead } from "./attempt.ts";
import type { Timer } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionPool, WaitingCall } from "./connection-pool.ts";
import { metadataBytes, requestHeaders } from "./headers.ts";
import type { ResolvedOptions } from "./options.ts";
import { RequestWriter } from "./request-writer.ts";
import { encodeTimeout } from "./timeout.ts";

/** What all calls of a backend share. */
export interface CallContext {
  readonly pool: ConnectionPool;
  readonly options: ResolvedOptions;
  /** The headers that are the same for each call. */
  readonly definition: Readonly<Record<string, string>>;
  /** The address of the backend, for messages. */
  readonly name: string;
  /** Told of the `grpc-accept-encoding` of a response. */
  readonly learnEncodings: (acceptEncodings: string) => void;
}

type State =
  | { readonly kind: "waiting" }
  | { readonly kind: "running"; readonly attempt: Attempt }
  | { readonly kind: "ended" };

const waiting: State = { kind: "waiting" };
const ended: State = { kind: "ended" };

/** One call: it waits for a connection, runs on one stream, and on a second one when the backend refused the first. */
export class Http2Call implements Call, WaitingCall, AttemptListener {
  readonly #context: CallContext;
  readonly #start: CallStart;
  readonly #listener: CallListener;
  readonly #writer: RequestWriter;
  #state: State = waiting;
  #isPaused = false;
  #isRetry = false;
  #deadline: number | undefined;
  #timer: Timer | undefined;

  constructor(context: CallContext, start: CallStart, listener: CallListener) {
    this.#context = context;
    this.#start = start;
    this.#listener = listener;
    this.#writer = new RequestWriter(context.options.sendBufferBytes, () => listener.drain());
  }

  /** Begins the call; the listener hears nothing before this has returned. */
  begin(): void {
    const { metadata, timeout } = this.#start;
    const { maxHeaderBytes } = this.#context.options;
    const bytes = metadataBytes(metadata);
    if (bytes > maxHeaderBytes) {
      const text = `the metadata of the call has ${bytes} bytes, more than the maximum of ${maxHeaderBytes} (--max-metadata)`;
      return this.#failLater(createStatus(Code.RESOURCE_EXHAUSTED, text));
    }
    if (timeout !== undefined) {
      const { clock } = this.#context.options;
      const left = timeout > 0 ? timeout : 0;
      this.#deadline = clock.now() + left;
      this.#timer = clock.after(left, () => this.#abort(this.#deadlineStatus()));
      if (left === 0) return;
    }
    this.#acquire();
  }

  send(message: Uint8Array, isCompressed?: boolean): boolean {
    return this.#state.kind !== "ended" && this.#writer.send(message, isCompressed);
  }

  sendView(message: Uint8Array, isCompressed?: boolean): boolean {
    return this.#state.kind !== "ended" && this.#writer.sendView(message, isCompressed);
  }

  halfClose(): void {
    this.#writer.halfClose();
  }

  cancel(status: Status = createStatus(Code.CANCELLED, "the call was cancelled")): void {
    this.#abort(status);
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#state.kind === "running") this.#state.attempt.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#state.kind === "running") this.#state.attempt.resume();
  }

  /** There is a connection with room for this call. */
  run(connection: Connection): void {
    const { definition, options } = this.#context;
    const { method, metadata, encoding, acceptEncodings = [], takesViews = false } = this.#start;
    const headers = requestHeaders(definition, method.path, this.#timeout(), metadata);
    if (encoding !== undefined) headers["grpc-encoding"] = encoding;
    if (acceptEncodings.length > 0) headers["grpc-accept-encoding"] = `identity,${acceptEncodings.join()}`;
    const bytes = metadataBytes(headers as Metadata);
    const most = connection.maxHeaderListBytes;
    if (bytes > most) {
      // Some servers end the whole connection for a request with more.
      const text = `the request has ${bytes} bytes of headers, more than the ${most} that the backend ${this.#context.name} takes`;
      this.#failLater(createStatus(Code.RESOURCE_EXHAUSTED, text));
      return this.#context.pool.room(connection);
    }
    const expected = { method, maxMessageBytes: options.maxMessageBytes, acceptEncodings, takesViews };
    const attempt = new Attempt(connection, headers, expected, this);
    this.#state = { kind: "running", attempt };
    if (this.#isPaused) attempt.pause();
    this.#writer.attach(attempt.stream);
  }

  /** There is no connection for this call. */
  fail(status: Status): void {
    this.#abort({ ...status, isUnprocessed: true });
  }

  headers({ metadata, encoding, acceptEncodings }: ResponseHead): void {
    this.#writer.commit();
    if (acceptEncodings !== undefined) this.#context.learnEncodings(acceptEncodings);
    if (metadata !== undefined) this.#listener.headers(metadata, encoding);
  }

  message(bytes: Uint8Array, isCompressed: boolean): void {
    this.#listener.message(bytes, isCompressed);
  }

  drain(): void {
    this.#writer.drained();
  }

  end(status: Status, trailers: Metadata): void {
    this.#finish(status, trailers);
  }

  cut(status: Status, processed: boolean): void {
    if (!processed && !this.#isRetry && this.#writer.isReplayable) {
      this.#state = waiting;
      this.#isRetry = true;
      this.#writer.detach();
      this.#acquire();
      return;
    }
    if (!processed) return this.#finish({ ...status, isUnprocessed: true }, noMetadata);
    // The backend's clock may be a little ahead of ours.
    const isLate = status.code === Code.CANCELLED && this.#timeLeft() <= 0;
    this.#finish(isLate ? this.#deadlineStatus() : status, noMetadata);
  }

  #acquire(): void {
    const answer = this.#context.pool.acquire(this);
    if (answer === undefined) return;
    if ("code" in answer) this.#failLater(answer);
    else this.run(answer);
  }

  #failLater(status: Status): void {
    process.nextTick(() => this.#abort({ ...status, isUnprocessed: true }));
  }

  #timeLeft(): number {
    return this.#deadline === undefined ? Infinity : this.#deadline - this.#context.options.clock.now();
  }

  /** The `grpc-timeout` of a stream that is opened now. */
  #timeout(): string | undefined {
    return this.#deadline === undefined ? undefined : encodeTimeout(Math.max(1, this.#timeLeft()));
  }

  #deadlineStatus(): Status {
    const where =
      this.#state.kind === "waiting" ? "while it waited for a connection to" : "before the answer of";
    return deadlineStatus(this.#start, `${where} the backend ${this.#context.name}`);
  }

  /** Ends the call from this side. */
  #abort(status: Status): void {
    if (this.#state.kind === "ended") return;
    if (this.#state.kind === "waiting") this.#context.pool.forget(this);
    else this.#state.attempt.cancel();
    this.#finish(status, noMetadata);
  }

  #finish(status: Status, trailers: Metadata): void {
    this.#state = ended;
    this.#timer?.cancel();
    this.#writer.stop();
    this.#listener.end(status, trailers);
  }
}
