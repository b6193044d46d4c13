import { httpStatusFromCode, Code } from "@sluice/protocol";
import type { Metadata } from "../call/metadata.ts";
import type { Status } from "../call/status.ts";
import type { MessageCodec } from "../codec/message-codec.ts";
import { jsonFromStatus } from "../transcode/status-json.ts";
import type { HttpResponse } from "./http-message.ts";
import type { Chunk, ReplyFormat } from "./reply-format.ts";
import { headersFromMetadata } from "./rest-metadata.ts";

/**
 * The answer to one REST request. Both forms are told of the call in its order; neither writes before it must,
 * so that an error before the first message has an HTTP status of its own.
 */
export interface RestResponse<Reply> {
  headers(metadata: Metadata): void;
  message(reply: Reply): void;
  end(status: Status, trailers: Metadata): void;
}

/** What both forms need to know. */
export interface RestResponseOptions<Reply> {
  readonly response: HttpResponse;
  readonly format: ReplyFormat<Reply>;
  /** Whether the client said `TE: trailers`. */
  readonly wantsTrailers: boolean;
  /** The codec of the details of errors. */
  readonly any: MessageCodec;
  /** Called when the client reads more slowly than messages come; the response's `drain` event ends it. */
  readonly pause: () => void;
  /** Milliseconds between two signs of life of a stream whose form has them. */
  readonly keepAliveMs: number;
}

/** A single message: the reply, or a `google.rpc.Status` with its HTTP status. */
export class UnaryResponse<Reply> implements RestResponse<Reply> {
  readonly #options: RestResponseOptions<Reply>;
  #reply: { readonly value: Reply } | undefined;

  constructor(options: RestResponseOptions<Reply>) {
    this.#options = options;
  }

  headers(metadata: Metadata): void {
    setMetadata(this.#options.response, metadata, "grpc-metadata-");
  }

  message(value: Reply): void {
    this.#reply = { value };
  }

  end(status: Status, trailers: Metadata): void {
    const { any, format } = this.#options;
    if (status.code !== Code.OK) {
      this.#send(httpStatusFromCode(status.code), "application/json", jsonFromStatus(status, any), trailers);
    } else if (this.#reply === undefined) {
      const none = { code: Code.INTERNAL, message: "the backend answered OK without a message" };
      this.#send(500, "application/json", jsonFromStatus(none, any), trailers);
    } else {
      const { value } = this.#reply;
      this.#send(200, format.contentType(value), format.item(value, 0), trailers);
    }
  }

  #send(httpStatus: number, contentType: string, chunk: Chunk, trailers: Metadata): void {
    const { response, wantsTrailers } = this.#options;
    response.statusCode = httpStatus;
    response.setHeader("content-type", contentType);
    if (wantsTrailers) {
      announceTrailers(response, trailers);
      response.write(chunk);
      writeTrailers(response, trailers);
      response.end();
    } else {
      // As it is: Node sends a text and the head before it as one.
      response.setHeader("content-length", String(Buffer.byteLength(chunk)));
      response.end(chunk);
    }
  }
}

/** A stream of messages in the form that the client asked for. What is written in one tick leaves in one write. */
export class StreamResponse<Reply> implements RestResponse<Reply> {
  readonly #options: RestResponseOptions<Reply>;
  #pending: Chunk[] = [];
  #begun = false;
  #count = 0;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(options: RestResponseOptions<Reply>) {
    this.#options = options;
    options.response.once("close", () => clearInterval(this.#keepAlive));
  }

  headers(metadata: Metadata): void {
    const { response, format } = this.#options;
    setMetadata(response, metadata, "grpc-metadata-");
    // A body of another kind says its type with its first message.
    if (format.error === undefined) return;
    this.#begin(undefined);
    response.flushHeaders?.();
  }

  message(reply: Reply): void {
    if (!this.#begun) this.#begin(reply);
    this.#write(this.#options.format.item(reply, this.#count++));
  }

  end(status: Status, trailers: Metadata): void {
    const { response, any, format, wantsTrailers } = this.#options;
    clearInterval(this.#keepAlive);
    if (status.code !== Code.OK) {
      const json = jsonFromStatus(status, any);
      if (!this.#begun) {
        this.#refuse(httpStatusFromCode(status.code), json, trailers);
        return;
      }
      if (format.error === undefined) {
        // The form cannot say it, so the response must not look complete.
        this.#flush();
        response.destroy();
        return;
      }
      this.#write(format.error(json, this.#count++));
    } else if (!this.#begun) {
      this.#begin(undefined);
    }
    if (format.end !== undefined) this.#write(format.end(this.#count));
    this.#flush();
    if (wantsTrailers) writeTrailers(response, trailers);
    response.end();
  }

  #begin(first: Reply | undefined): void {
    const { response, format, keepAliveMs } = this.#options;
    this.#begun = true;
    response.statusCode = 200;
    setStreamHeaders(response, format.contentType(first));
    const { keepAlive } = format;
    if (keepAlive !== undefined) this.#keepAlive = setInterval(() => this.#write(keepAlive), keepAliveMs);
  }

  // Before the first message an error has an HTTP status of its own.
  #refuse(httpStatus: number, json: string, trailers: Metadata): void {
    const { response, wantsTrailers } = this.#options;
    response.statusCode = httpStatus;
    setStreamHeaders(response, "application/x-ndjson");
    response.write(`{"error":${json}}\n`);
    if (wantsTrailers) writeTrailers(response, trailers);
    response.end();
  }

  #write(chunk: Chunk): void {
    if (this.#pending.length === 0) process.nextTick(() => this.#flush());
    this.#pending.push(chunk);
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const chunks = this.#pending;
    this.#pending = [];
    const { response, pause } = this.#options;
    if (response.destroyed || response.writableEnded) return;
    if (!response.write(joinChunks(chunks))) pause();
  }
}

function joinChunks(chunks: readonly Chunk[]): Chunk {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  if (chunks.every((chunk) => typeof chunk === "string")) return chunks.join("");
  return Buffer.concat(chunks.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk) : chunk)));
}

function setStreamHeaders(response: HttpResponse, contentType: string): void {
  response.setHeader("content-type", contentType);
  // A proxy that buffers would hold back what the stream exists for.
  response.setHeader("x-accel-buffering", "no");
  response.setHeader("cache-control", "no-cache");
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
