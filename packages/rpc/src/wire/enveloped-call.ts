import { Code } from "@sluice/protocol";
import type { Call, CallListener } from "../call/call.ts";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { HttpRequest, HttpResponse } from "../rest/http-message.ts";
import { statusFromError } from "../transcode/json-call.ts";
import { lateBody } from "./body-deadline.ts";
import { BodyWriter, type BodyWriterOptions, type Envelope } from "./body-writer.ts";
import type { MessageFormat } from "./content-type.ts";
import type { DirectoryEntry } from "./directory.ts";
import type { CallHead } from "./grpc-head.ts";
import { parseJsonBytes } from "../codec/json-text.ts";
import { compressedFlag, plainFlag } from "./length-prefixed-message.ts";
import { RequestMessages } from "./request-messages.ts";
import { discardRest } from "./response-end.ts";

/** How one dialect writes what stands around the messages of a response. */
export interface ResponseFormat {
  /** Sets the head of a response that has messages; `encoding` is how compressed ones are compressed. */
  begin(metadata: Metadata, encoding: string | undefined): void;
  /**
   * Says how the call ended: in the head, which has not been set when `hasBegun` is false, in trailers, or in a
   * last envelope, which it gives back.
   */
  end(status: Status, trailers: Metadata, hasBegun: boolean): Envelope | undefined;
  readonly encode?: NonNullable<BodyWriterOptions["encode"]>;
}

/** What a call is served with. */
export interface EnvelopedCallOptions {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly entry: DirectoryEntry;
  readonly head: CallHead;
  readonly messageFormat: MessageFormat;
  readonly responseFormat: ResponseFormat;
  /** The largest message of the request in bytes, inflated where that is done here. */
  readonly maxMessageBytes: number;
  /** Milliseconds for the body of a request with one message. */
  readonly bodyMs: number;
  /** Turns what stands on the wire into the bytes of envelopes, as for base64 text. Throws an RpcError. */
  readonly decode?: (chunk: Buffer) => Uint8Array;
  /** Told once of how the call ended. */
  readonly report: (status: Status) => void;
}

/**
 * A call whose request and response are bodies of length-prefixed messages: all of gRPC and gRPC-Web, and the streams
 * of Connect. Binary messages pass undecoded; JSON is transcoded.
 */
export class EnvelopedCall implements CallListener {
  readonly #options: EnvelopedCallOptions;
  readonly #isJson: boolean;
  readonly #writer: BodyWriter;
  readonly #messages: RequestMessages;
  readonly #call: Call;
  #hasBegun = false;
  #isOver = false;
  /** Why the body of the request is not read: the backend does not take more, a message is being inflated. */
  #isBlocked = false;
  #isBusy = false;
  #bodyTimer: NodeJS.Timeout | undefined;

  /** Begins the call; `read` goes on. */
  constructor(options: EnvelopedCallOptions) {
    const { response, entry, head, responseFormat, maxMessageBytes } = options;
    this.#options = options;
    this.#isJson = options.messageFormat === "json";
    this.#writer = new BodyWriter(response, {
      pause: () => this.#call.pause(),
      ...(responseFormat.encode === undefined ? {} : { encode: responseFormat.encode }),
    });
    this.#messages = new RequestMessages(head, maxMessageBytes, {
      message: (bytes, isCompressed) => this.#send(bytes, isCompressed),
      end: () => this.#call.halfClose(),
      failed: (status) => this.#call.cancel(status),
      busy: (isBusy) => {
        this.#isBusy = isBusy;
        this.#regulate();
      },
    });
    this.#call = entry.backend.open(head.start, this);
    response.on("drain", () => this.#call.resume());
    response.on("close", () => {
      if (this.#isOver) return;
      this.#call.cancel(createStatus(Code.CANCELLED, "the client closed the connection or the stream"));
    });
  }

  /** Takes the messages from the body of the request. */
  read(): void {
    const { request, entry } = this.#options;
    const { kind } = entry.method;
    if (kind === "unary" || kind === "server_streaming") this.#limitBody();
    request.on("data", (chunk: Buffer) => this.#read(chunk));
    request.on("end", () => {
      clearTimeout(this.#bodyTimer);
      this.#messages.end();
    });
  }

  headers(metadata: Metadata, encoding?: string): void {
    if (!this.#isWritable()) return;
    this.#begin(metadata, encoding);
    const { kind } = this.#options.entry.method;
    // A client of one message has no use for headers before it.
    if (kind !== "unary" && kind !== "client_streaming") this.#writer.schedule();
  }

  message(bytes: Uint8Array, isCompressed = false): void {
    if (!this.#isWritable()) return;
    if (!this.#isJson) {
      this.#writer.write(bytes, isCompressed ? compressedFlag : plainFlag);
      return;
    }
    let json: string;
    try {
      json = this.#options.entry.output.jsonFromBytes(bytes);
    } catch (error) {
      this.#call.cancel(statusFromError(error, Code.INTERNAL));
      return;
    }
    this.#writer.write(Buffer.from(json), plainFlag);
  }

  drain(): void {
    this.#isBlocked = false;
    this.#regulate();
  }

  end(status: Status, trailers: Metadata): void {
    if (this.#isOver) return;
    const { request, responseFormat, report } = this.#options;
    this.#messages.stop();
    clearTimeout(this.#bodyTimer);
    if (this.#isWritable()) {
      const last = responseFormat.end(status, trailers, this.#hasBegun);
      if (last !== undefined) this.#writer.write(last.bytes, last.flags);
      this.#writer.end();
    }
    this.#isOver = true;
    discardRest(request);
    report(status);
  }

  #limitBody(): void {
    const { bodyMs } = this.#options;
    this.#bodyTimer = setTimeout(() => {
      // While a message is inflated, it is not the client that is slow.
      if (this.#isBusy) this.#limitBody();
      else this.#call.cancel(lateBody(bodyMs));
    }, bodyMs);
  }

  #begin(metadata: Metadata, encoding: string | undefined): void {
    this.#hasBegun = true;
    this.#options.responseFormat.begin(metadata, encoding);
  }

  #read(chunk: Buffer): void {
    const { decode } = this.#options;
    if (decode === undefined) return this.#messages.push(chunk);
    let bytes: Uint8Array;
    try {
      bytes = decode(chunk);
    } catch (error) {
      this.#call.cancel(statusFromError(error, Code.INVALID_ARGUMENT));
      return;
    }
    this.#messages.push(bytes);
  }

  #send(bytes: Uint8Array, isCompressed: boolean): void {
    let message = bytes;
    if (this.#isJson) {
      try {
        message = this.#options.entry.input.bytesFromJson(parseJsonBytes(bytes));
      } catch (error) {
        this.#call.cancel(statusFromError(error, Code.INVALID_ARGUMENT));
        return;
      }
    }
    if (this.#call.send(message, isCompressed)) return;
    this.#isBlocked = true;
    this.#regulate();
  }

  #regulate(): void {
    const { request } = this.#options;
    if ((this.#isBlocked || this.#isBusy) && !this.#isOver) request.pause();
    else request.resume();
  }

  #isWritable(): boolean {
    const { response } = this.#options;
    return !this.#isOver && !response.destroyed && !response.writableEnded;
  }
}

/** Ends a call with a status before it has begun. */
export function refuseCall(
  request: HttpRequest,
  response: HttpResponse,
  format: ResponseFormat,
  status: Status,
): void {
  const { encode } = format;
  const last = format.end(status, noMetadata, false);
  const writer = new BodyWriter(response, {
    pause: () => undefined,
    ...(encode === undefined ? {} : { encode }),
  });
  if (last !== undefined) writer.write(last.bytes, last.flags);
  writer.end();
  discardRest(request);
}
