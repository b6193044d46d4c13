import { Code } from "@sluice/protocol";
import type { Call, CallListener } from "../call/call.ts";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import { parseJsonBytes } from "../codec/json-text.ts";
import type { HttpRequest, HttpResponse } from "../rest/http-message.ts";
import { statusFromError } from "../transcode/json-call.ts";
import { inflate, type Inflated } from "../wire/compression.ts";
import { lateBody } from "../wire/body-deadline.ts";
import type { MessageFormat } from "../wire/content-type.ts";
import type { DirectoryEntry } from "../wire/directory.ts";
import type { CallHead } from "../wire/grpc-head.ts";
import { noMessage, sendError, sendMessage } from "./unary-response.ts";

/** What a unary call is served with. */
export interface UnaryCallOptions {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly entry: DirectoryEntry;
  readonly head: CallHead;
  readonly format: MessageFormat;
  /** The largest message of the request in bytes, inflated where that is done here. */
  readonly maxMessageBytes: number;
  /** Milliseconds for the body of the request. */
  readonly bodyMs: number;
  /** Told once of how the call ended. */
  readonly report: (status: Status) => void;
}

/** A unary call: the whole body of the request is its message, that of the response the answer or an error. */
export class UnaryCall implements CallListener {
  readonly #options: UnaryCallOptions;
  readonly #call: Call;
  #headers: Metadata = noMetadata;
  #encoding: string | undefined;
  #message: { readonly bytes: Uint8Array; readonly encoding: string | undefined } | undefined;
  #isOver = false;
  #bodyTimer: NodeJS.Timeout | undefined;

  /** Begins the call; `read` or `take` goes on. */
  constructor(options: UnaryCallOptions) {
    const { response, entry, head } = options;
    this.#options = options;
    this.#call = entry.backend.open(head.start, this);
    response.on("close", () => {
      if (this.#isOver) return;
      this.#call.cancel(createStatus(Code.CANCELLED, "the client closed the connection or the stream"));
    });
  }

  /** Takes the message from the body of the request. */
  read(): void {
    const { request, maxMessageBytes, bodyMs } = this.#options;
    const chunks: Buffer[] = [];
    let size = 0;
    const tooLarge = (bytes: string): void => {
      chunks.length = 0;
      const what = `the message of the request has ${bytes} bytes, more than the maximum of ${maxMessageBytes} (--max-message)`;
      this.#call.cancel(createStatus(Code.RESOURCE_EXHAUSTED, what));
    };
    const announced = Number(request.headers["content-length"] ?? 0);
    if (announced > maxMessageBytes) return tooLarge(String(announced));
    this.#bodyTimer = setTimeout(() => this.#call.cancel(lateBody(bodyMs)), bodyMs);
    request.on("data", (chunk: Buffer) => {
      if (this.#isOver) return;
      size += chunk.length;
      if (size > maxMessageBytes) tooLarge(`at least ${size}`);
      else chunks.push(chunk);
    });
    request.on("end", () => {
      clearTimeout(this.#bodyTimer);
      const [only] = chunks;
      this.take(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
  }

  /** Takes the message as it was sent. */
  take(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const { head, maxMessageBytes } = this.#options;
    const { encoding, start } = head;
    if (encoding === undefined || bytes.length === 0) return this.#send(bytes, false);
    if (start.encoding !== undefined) return this.#send(bytes, true);
    const inflated = inflate(bytes, encoding, maxMessageBytes, (later) => this.#inflated(later));
    if (inflated !== undefined) this.#inflated(inflated);
  }

  headers(metadata: Metadata, encoding?: string): void {
    this.#headers = metadata;
    this.#encoding = encoding;
  }

  message(bytes: Uint8Array, isCompressed = false): void {
    if (this.#options.format === "proto") {
      this.#message = { bytes, encoding: isCompressed ? this.#encoding : undefined };
      return;
    }
    try {
      const json = Buffer.from(this.#options.entry.output.jsonFromBytes(bytes));
      this.#message = { bytes: json, encoding: undefined };
    } catch (error) {
      this.#call.cancel(statusFromError(error, Code.INTERNAL));
    }
  }

  drain(): void {
    // One message is all there is to send.
  }

  end(status: Status, trailers: Metadata): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#bodyTimer);
    const { request, response, format, report } = this.#options;
    const isOk = status.code === Code.OK && this.#message !== undefined;
    const shown = status.code === Code.OK && !isOk ? noMessage : status;
    if (!response.destroyed && !response.writableEnded) {
      const metadata = { headers: this.#headers, trailers };
      if (isOk && this.#message !== undefined)
        sendMessage(request, response, format, this.#message, metadata);
      else sendError(request, response, shown, metadata);
    }
    report(shown);
  }

  #inflated(inflated: Inflated): void {
    if (this.#isOver) return;
    if (inflated.kind === "message") this.#send(inflated.bytes, false);
    else this.#call.cancel(inflated.status);
  }

  #send(bytes: Uint8Array, isCompressed: boolean): void {
    const { format, entry } = this.#options;
    let message = bytes;
    if (format === "json") {
      try {
        message = entry.input.bytesFromJson(parseJsonBytes(bytes));
      } catch (error) {
        this.#call.cancel(statusFromError(error, Code.INVALID_ARGUMENT));
        return;
      }
    }
    this.#call.send(message, isCompressed);
    this.#call.halfClose();
  }
}
