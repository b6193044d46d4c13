import {
  constants,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { addAbortSignal } from "node:stream";
import { Code } from "@sluice/protocol";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import { metadataFromHeaders } from "../wire/metadata-headers.ts";
import type { Connection } from "./connection.ts";
import { ResponseReader, type ExpectedResponse } from "./response-reader.ts";
import { statusFromReset } from "./response-status.ts";

/** The beginning of an answer. */
export interface ResponseHead {
  /** Undefined when it is not a response of gRPC that goes on. */
  readonly metadata: Metadata | undefined;
  /** `grpc-encoding`. */
  readonly encoding: string | undefined;
  /** `grpc-accept-encoding`. */
  readonly acceptEncodings: string | undefined;
}

/** What an attempt tells its call; the last is `end` or `cut`, once. */
export interface AttemptListener {
  /** The backend has begun to answer. */
  headers(head: ResponseHead): void;
  message(bytes: Uint8Array, isCompressed: boolean): void;
  /** The backend has ended the call, or broken the protocol. */
  end(status: Status, trailers: Metadata): void;
  /** The stream has closed without an answer to the end; `processed` is false when the backend says it never looked. */
  cut(status: Status, processed: boolean): void;
}

const aborted = AbortSignal.abort();

/** One HTTP/2 stream on which a call is tried. */
export class Attempt {
  readonly stream: ClientHttp2Stream;
  readonly #connection: Connection;
  readonly #listener: AttemptListener;
  readonly #reader: ResponseReader;
  #isOver = false;
  #isPaused = false;
  #isCancelled = false;
  #error: Error | undefined;

  /** Opens a stream on a connection that has room for it. */
  constructor(
    connection: Connection,
    headers: OutgoingHttpHeaders,
    expected: ExpectedResponse,
    listener: AttemptListener,
  ) {
    this.#connection = connection;
    this.#listener = listener;
    this.#reader = new ResponseReader(expected, {
      message: (bytes, isCompressed) => {
        if (!this.#isOver) listener.message(bytes, isCompressed);
      },
      end: (status, trailers) => this.#end(status, trailers),
    });
    this.stream = connection.request(headers);
    this.#listen(this.stream);
  }

  pause(): void {
    this.#isPaused = true;
    this.stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.stream.resume();
  }

  /** Tells nothing more, and the backend that nobody waits for it. */
  cancel(): void {
    this.#isOver = true;
    this.#reset();
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.on("response", (headers, flags, raw?: readonly string[]) =>
      this.#begin(headers, flags, raw ?? []),
    );
    stream.on("trailers", (trailers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) => {
      // All has arrived, so a paused call need not hold its stream: at most a window of bytes is left to deliver.
      while (!this.#isOver && stream.read() !== null);
      if (!this.#isOver) this.#reader.trailers(trailers, raw ?? []);
    });
    stream.on("end", () => {
      // A stream that was reset ends too, and learns a moment later that it was.
      if (!this.#isOver) setImmediate(() => this.#endOfBody());
    });
    stream.on("error", (error) => (this.#error = error));
    stream.on("close", () => {
      this.#connection.release(this.#isCancelled);
      if (!this.#isOver) this.#closed();
    });
  }

  #begin(headers: IncomingHttpHeaders, flags: number, raw: readonly string[]): void {
    if (this.#isOver) return;
    const isLast = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const encoding = headers["grpc-encoding"];
    const acceptEncodings = headers["grpc-accept-encoding"];
    this.#listener.headers({
      metadata: this.#reader.headers(headers, raw, isLast) ? metadataFromHeaders(raw) : undefined,
      encoding: typeof encoding === "string" ? encoding : undefined,
      acceptEncodings: typeof acceptEncodings === "string" ? acceptEncodings : undefined,
    });
    if (isLast || this.#isOver) return;
    // Not before there is a reader for it.
    this.stream.on("data", (chunk: Uint8Array) => {
      if (!this.#isOver) this.#reader.data(chunk);
    });
    if (this.#isPaused) this.stream.pause();
  }

  #endOfBody(): void {
    if (!this.#isOver && !this.stream.closed) this.#reader.endOfBody();
  }

  /** The response is over; without trailers, because it is not worth reading on. */
  #end(status: Status, trailers: Metadata | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { stream } = this;
    if (stream.closed || (trailers !== undefined && stream.writableFinished)) stream.resume();
    // Node would keep a stream that ends without an error until all of the request has left.
    else if (trailers === undefined || stream.writableEnded) this.#reset();
    else stream.close(constants.NGHTTP2_NO_ERROR);
    this.#listener.end(status, trailers ?? noMetadata);
  }

  #closed(): void {
    const { rstCode, id } = this.stream;
    const lost = this.#connection.lostReason;
    if (lost === undefined && rstCode === constants.NGHTTP2_NO_ERROR) this.#reader.endOfBody();
    if (this.#isOver) return;
    this.#isOver = true;
    const isRefused = rstCode === constants.NGHTTP2_REFUSED_STREAM;
    const processed = !isRefused && !this.#connection.isUnprocessed(id);
    this.#listener.cut(this.#statusOfCut(rstCode, lost), processed);
  }

  #statusOfCut(rstCode: number, lost: string | undefined): Status {
    const { name } = this.#connection;
    if (lost !== undefined) {
      return createStatus(Code.UNAVAILABLE, `the connection to the backend ${name} was lost: ${lost}`);
    }
    if (this.#error !== undefined && rstCode === constants.NGHTTP2_NO_ERROR) {
      return createStatus(
        Code.UNAVAILABLE,
        `the backend ${name} could not be called: ${this.#error.message}`,
      );
    }
    return statusFromReset(rstCode);
  }

  /**
   * Resets the stream with CANCEL. `stream.close` would first end the request in good order, so that a server could
   * take a cancelled stream of messages for a complete one.
   */
  #reset(): void {
    this.#isCancelled = true;
    addAbortSignal(aborted, this.stream);
  }
}
