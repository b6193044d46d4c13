import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { Code } from "@sluice/protocol";
import type { Call, CallListener, CallStart } from "../call/call.ts";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { Timer } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionPool, WaitingCall } from "./connection-pool.ts";
import { metadataFromHeaders, requestHeaders } from "./headers.ts";
import type { ResolvedOptions } from "./options.ts";
import { RequestWriter } from "./request-writer.ts";
import { ResponseReader } from "./response-reader.ts";
import { statusFromReset } from "./response-status.ts";
import { encodeTimeout } from "./timeout.ts";

/** What all calls of a backend share. */
export interface CallContext {
  readonly pool: ConnectionPool;
  readonly options: ResolvedOptions;
  /** The headers that are the same for each call. */
  readonly definition: Readonly<Record<string, string>>;
  /** The address of the backend, for messages. */
  readonly name: string;
}

type State =
  | { readonly kind: "waiting" }
  | { readonly kind: "running"; readonly stream: ClientHttp2Stream; readonly connection: Connection }
  | { readonly kind: "ended" };

const waiting: State = { kind: "waiting" };
const ended: State = { kind: "ended" };

/** One call, on one HTTP/2 stream, or on a second one when the backend did not look at the first. */
export class Http2Call implements Call, WaitingCall {
  readonly #context: CallContext;
  readonly #start: CallStart;
  readonly #listener: CallListener;
  readonly #writer: RequestWriter;
  #state: State = waiting;
  #paused = false;
  #retried = false;
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
    const { timeout } = this.#start;
    if (timeout !== undefined) {
      const { clock } = this.#context.options;
      this.#deadline = clock.now() + timeout;
      this.#timer = clock.after(Math.max(0, timeout), () => this.#expire());
      if (!(timeout > 0)) return;
    }
    this.#acquire();
  }

  send(message: Uint8Array): boolean {
    return this.#state.kind !== "ended" && this.#writer.send(message);
  }

  halfClose(): void {
    this.#writer.halfClose();
  }

  cancel(status: Status = createStatus(Code.CANCELLED, "the call was cancelled")): void {
    this.#end(status, noMetadata, constants.NGHTTP2_CANCEL);
  }

  pause(): void {
    this.#paused = true;
    if (this.#state.kind === "running") this.#state.stream.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#state.kind === "running") this.#state.stream.resume();
  }

  /** There is a connection with room for this call. */
  run(connection: Connection): void {
    const { definition, options } = this.#context;
    const { method, metadata } = this.#start;
    const left = this.#deadline === undefined ? undefined : this.#deadline - options.clock.now();
    const timeout = left === undefined ? undefined : encodeTimeout(Math.max(1, left));
    const stream = connection.request(requestHeaders(definition, method.path, timeout, metadata));
    this.#state = { kind: "running", stream, connection };
    // The stream's end is told by "close"; an error without a listener would end the process.
    let failure: Error | undefined;
    stream.on("error", (error) => (failure = error));
    stream.on("close", () => {
      connection.release();
      if (this.#isOn(stream)) this.#closed(stream, connection, failure);
    });
    this.#read(stream);
    this.#writer.attach(stream);
  }

  /** There is no connection for this call. */
  fail(status: Status): void {
    this.#end(status, noMetadata, constants.NGHTTP2_CANCEL);
  }

  #acquire(): void {
    const answer = this.#context.pool.acquire(this);
    if (answer === undefined) return;
    if ("code" in answer) process.nextTick(() => this.fail(answer));
    else this.run(answer);
  }

  #read(stream: ClientHttp2Stream): void {
    const reader = new ResponseReader(this.#start.method, this.#context.options.maxMessageBytes, {
      message: (bytes) => {
        if (this.#isOn(stream)) this.#listener.message(bytes);
      },
      end: (status, trailers) => {
        if (!this.#isOn(stream)) return;
        const isWhole = trailers !== undefined;
        this.#end(
          status,
          trailers ?? noMetadata,
          isWhole ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL,
        );
      },
    });
    stream.on("response", (headers: IncomingHttpHeaders, flags: number, raw?: readonly string[]) => {
      if (!this.#isOn(stream)) return;
      this.#writer.commit();
      const isLast = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const rawHeaders = raw ?? [];
      if (reader.headers(headers, rawHeaders, isLast))
        this.#listener.headers(metadataFromHeaders(rawHeaders));
      if (isLast || !this.#isOn(stream)) return;
      stream.on("data", (chunk: Uint8Array) => {
        if (this.#isOn(stream)) reader.data(chunk);
      });
      if (this.#paused) stream.pause();
    });
    stream.on("trailers", (trailers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) => {
      if (!this.#isOn(stream)) return;
      // All has arrived, so a paused call need not hold its stream: at most a window of bytes is left to deliver.
      while (this.#isOn(stream) && stream.read() !== null);
      if (this.#isOn(stream)) reader.trailers(trailers, raw ?? []);
    });
    stream.on("end", () => {
      if (this.#isOn(stream)) reader.endOfBody();
    });
  }

  #isOn(stream: ClientHttp2Stream): boolean {
    return this.#state.kind === "running" && this.#state.stream === stream;
  }

  /** The stream has closed before its response was complete. */
  #closed(stream: ClientHttp2Stream, connection: Connection, failure: Error | undefined): void {
    const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    if ((isRefused || connection.isUnprocessed(stream)) && !this.#retried && this.#writer.isReplayable) {
      this.#retried = true;
      this.#state = waiting;
      this.#writer.detach();
      this.#acquire();
      return;
    }
    this.#end(this.#statusOfClosed(stream, connection, failure), noMetadata, constants.NGHTTP2_NO_ERROR);
  }

  #statusOfClosed(stream: ClientHttp2Stream, connection: Connection, failure: Error | undefined): Status {
    const lost = connection.lostReason;
    if (lost !== undefined) {
      return createStatus(
        Code.UNAVAILABLE,
        `the connection to the backend ${this.#context.name} was lost: ${lost}`,
      );
    }
    if (stream.rstCode === constants.NGHTTP2_CANCEL && this.#deadline !== undefined) {
      // The backend's clock may be a little ahead of ours.
      if (this.#deadline <= this.#context.options.clock.now()) return this.#deadlineStatus();
    }
    const status = statusFromReset(stream.rstCode);
    return failure === undefined || stream.rstCode !== constants.NGHTTP2_NO_ERROR
      ? status
      : createStatus(Code.UNAVAILABLE, failure.message);
  }

  #expire(): void {
    this.#end(this.#deadlineStatus(), noMetadata, constants.NGHTTP2_CANCEL);
  }

  #deadlineStatus(): Status {
    const where =
      this.#state.kind === "waiting" ? "while it waited for a connection to" : "before the answer of";
    const text = `the deadline of ${this.#start.timeout} ms passed ${where} the backend ${this.#context.name}`;
    return createStatus(Code.DEADLINE_EXCEEDED, text);
  }

  #end(status: Status, trailers: Metadata, errorCode: number): void {
    const state = this.#state;
    if (state.kind === "ended") return;
    this.#state = ended;
    this.#timer?.cancel();
    this.#writer.stop();
    if (state.kind === "waiting") this.#context.pool.forget(this);
    else if (!state.stream.closed) closeStream(state.stream, errorCode);
    this.#listener.end(status, trailers);
  }
}

/** Frees a stream of which nothing is wanted any more. */
function closeStream(stream: ClientHttp2Stream, errorCode: number): void {
  if (errorCode !== constants.NGHTTP2_NO_ERROR) stream.close(errorCode);
  else if (stream.writableFinished) stream.resume();
  // Without an error code, Node would first send what is left of a request that nobody reads.
  else stream.close(stream.writableEnded ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_NO_ERROR);
}
