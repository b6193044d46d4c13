import { httpStatusFromCode, Code } from "@sluice/protocol";
import type { Metadata } from "../call/metadata.ts";
import type { Status } from "../call/status.ts";
import type { MessageCodec } from "../codec/message-codec.ts";
import { jsonFromStatus } from "../transcode/status-json.ts";
import type { HttpResponse } from "./http-message.ts";
import { headersFromMetadata } from "./rest-metadata.ts";

/**
 * The answer to one REST request. Both forms are told of the call in its order; neither writes before it must,
 * so that an error before the first message has an HTTP status of its own.
 */
export interface RestResponse {
  headers(metadata: Metadata): void;
  message(json: string): void;
  end(status: Status, trailers: Metadata): void;
}

/** What both forms need to know. */
export interface RestResponseOptions {
  readonly response: HttpResponse;
  /** Whether the client said `TE: trailers`. */
  readonly wantsTrailers: boolean;
  /** The codec of the details of errors. */
  readonly any: MessageCodec;
  /** Called when the client reads more slowly than messages come; the response's `drain` event ends it. */
  readonly pause: () => void;
}

/** A single message: the JSON of the reply, or of a `google.rpc.Status` with its HTTP status. */
export class UnaryResponse implements RestResponse {
  readonly #options: RestResponseOptions;
  #json: string | undefined;

  constructor(options: RestResponseOptions) {
    this.#options = options;
  }

  headers(metadata: Metadata): void {
    setMetadata(this.#options.response, metadata, "grpc-metadata-");
  }

  message(json: string): void {
    this.#json = json;
  }

  end(status: Status, trailers: Metadata): void {
    const { any } = this.#options;
    if (status.code !== Code.OK) {
      this.#send(httpStatusFromCode(status.code), jsonFromStatus(status, any), trailers);
    } else if (this.#json === undefined) {
      const none = { code: Code.INTERNAL, message: "the backend answered OK without a message" };
      this.#send(500, jsonFromStatus(none, any), trailers);
    } else {
      this.#send(200, this.#json, trailers);
    }
  }

  #send(httpStatus: number, json: string, trailers: Metadata): void {
    const { response, wantsTrailers } = this.#options;
    response.statusCode = httpStatus;
    response.setHeader("content-type", "application/json");
    if (wantsTrailers) {
      announceTrailers(response, trailers);
      response.write(json);
      writeTrailers(response, trailers);
      response.end();
    } else {
      const body = Buffer.from(json);
      response.setHeader("content-length", String(body.length));
      response.end(body);
    }
  }
}

/**
 * A stream of messages as NDJSON: a line `{"result":…}` each, and a last line `{"error":…}` if the call fails.
 * Lines of one tick leave in one write.
 */
export class StreamResponse implements RestResponse {
  readonly #options: RestResponseOptions;
  #pending = "";

  constructor(options: RestResponseOptions) {
    this.#options = options;
  }

  headers(metadata: Metadata): void {
    const { response } = this.#options;
    setMetadata(response, metadata, "grpc-metadata-");
    this.#begin(200);
    response.flushHeaders?.();
  }

  message(json: string): void {
    if (!this.#options.response.headersSent) this.#begin(200);
    this.#line(`{"result":${json}}\n`);
  }

  end(status: Status, trailers: Metadata): void {
    const { response, any, wantsTrailers } = this.#options;
    if (status.code !== Code.OK) {
      if (!response.headersSent && this.#pending === "") this.#begin(httpStatusFromCode(status.code));
      this.#line(`{"error":${jsonFromStatus(status, any)}}\n`);
    } else if (!response.headersSent) {
      this.#begin(200);
    }
    this.#flush();
    if (wantsTrailers) writeTrailers(response, trailers);
    response.end();
  }

  #begin(httpStatus: number): void {
    const { response } = this.#options;
    response.statusCode = httpStatus;
    response.setHeader("content-type", "application/x-ndjson");
    // A proxy that buffers would hold back what the stream exists for.
    response.setHeader("x-accel-buffering", "no");
    response.setHeader("cache-control", "no-cache");
  }

  #line(line: string): void {
    if (this.#pending === "") process.nextTick(() => this.#flush());
    this.#pending += line;
  }

  #flush(): void {
    if (this.#pending === "") return;
    const lines = this.#pending;
    this.#pending = "";
    const { response, pause } = this.#options;
    if (response.destroyed || response.writableEnded) return;
    if (!response.write(lines)) pause();
  }
}

/** Answers with a status that no call had: an unknown path, a body that is too large. */
export function sendStatus(response: HttpResponse, httpStatus: number, status: Status): void {
  const body = Buffer.from(jsonFromStatus(status));
  response.statusCode = httpStatus;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", String(body.length));
  response.end(body);
}

function setMetadata(response: HttpResponse, metadata: Metadata, prefix: "grpc-metadata-"): void {
  for (const [name, value] of headersFromMetadata(metadata, prefix)) response.setHeader(name, value);
}

function announceTrailers(response: HttpResponse, trailers: Metadata): void {
  const names = headersFromMetadata(trailers, "grpc-trailer-").map(([name]) => name);
  if (names.length > 0) response.setHeader("trailer", names.join(", "));
}

function writeTrailers(response: HttpResponse, trailers: Metadata): void {
  const headers: Record<string, string> = {};
  for (const [name, value] of headersFromMetadata(trailers, "grpc-trailer-")) {
    headers[name] = typeof value === "string" ? value : value.join(", ");
  }
  response.addTrailers(headers);
}
