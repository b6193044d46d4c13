import type { OutgoingHttpHeaders } from "node:http2";
import { Code } from "@sluice/protocol";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { ClientStream, StreamListener } from "../http2/client-stream.ts";
import { errorCode } from "../http2/frame.ts";
import { throwLater } from "../http2/tell.ts";
import { metadataFromHeaders } from "../wire/metadata-headers.ts";
import type { Connection } from "./connection.ts";
import { ResponseReader, type ExpectedResponse } from "./response-reader.ts";
import { statusFromReset, type ResponseHeaders } from "./response-status.ts";

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
  /** All that was written to the stream has been sent. */
  drain(): void;
  /** The backend has ended the call, or broken the protocol. */
  end(status: Status, trailers: Metadata): void;
  /** The stream has closed without an answer to the end; `processed` is false when the backend says it never looked. */
  cut(status: Status, processed: boolean): void;
}

/** One HTTP/2 stream on which a call is tried. */
export class Attempt implements StreamListener {
  readonly stream: ClientStream;
  readonly #connection: Connection;
  readonly #listener: AttemptListener;
  readonly #reader: ResponseReader;
  #isOver = false;
  #isCancelled = false;

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
        // Whoever throws must not have the messages behind it cut in other places.
        try {
          if (!this.#isOver) listener.message(bytes, isCompressed);
        } catch (error) {
          throwLater(error);
        }
      },
      end: (status, trailers) => this.#end(status, trailers),
    });
    this.stream = connection.request(headers, this);
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  /** Tells nothing more, and the backend that nobody waits for it. */
  cancel(): void {
    this.#isOver = true;
    this.#reset();
  }

  head(fields: readonly string[], isLast: boolean): void {
    if (this.#isOver) return;
    const headers = headersFromFields(fields);
    this.#listener.headers({
      metadata: this.#reader.headers(headers, fields, isLast) ? metadataFromHeaders(fields) : undefined,
      encoding: headers["grpc-encoding"],
      acceptEncodings: headers["grpc-accept-encoding"],
    });
  }

  data(bytes: Uint8Array): void {
    if (!this.#isOver) this.#reader.data(bytes);
  }

  trailers(fields: readonly string[]): void {
    if (!this.#isOver) this.#reader.trailers(headersFromFields(fields), fields);
  }

  end(): void {
    if (!this.#isOver) this.#reader.endOfBody();
  }

  drain(): void {
    if (!this.#isOver) this.#listener.drain();
  }

  closed(code: number): void {
    this.#connection.release(this.#isCancelled);
    if (!this.#isOver) this.#cut(code);
  }

  /** The response is over; without trailers, because it is not worth reading on. */
  #end(status: Status, trailers: Metadata | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { stream } = this;
    if (trailers === undefined || (stream.isEnded && !stream.isSent)) this.#reset();
    else if (!stream.isSent) stream.reset(errorCode.noError);
    this.#listener.end(status, trailers ?? noMetadata);
  }

  #cut(code: number): void {
    const lost = this.#connection.lostReason;
    if (lost === undefined && code === errorCode.noError) this.#reader.endOfBody();
    if (this.#isOver) return;
    this.#isOver = true;
    const isRefused = code === errorCode.refusedStream;
    const processed = !isRefused && !this.#connection.isUnprocessed(this.stream);
    this.#listener.cut(this.#statusOfCut(code, lost), processed);
  }

  #statusOfCut(code: number, lost: string | undefined): Status {
    if (lost === undefined) return statusFromReset(code);
    const { name } = this.#connection;
    return createStatus(Code.UNAVAILABLE, `the connection to the backend ${name} was lost: ${lost}`);
  }

  #reset(): void {
    this.#isCancelled = true;
    this.stream.reset(errorCode.cancel);
  }
}

/** The headers by their names; of several with one name the first. */
function headersFromFields(fields: readonly string[]): ResponseHeaders {
  const headers = Object.create(null) as Record<string, string>;
  for (let at = 0; at + 1 < fields.length; at += 2)
    headers[fields[at] as string] ??= fields[at + 1] as string;
  return headers;
}
