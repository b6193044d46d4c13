import {
  Code,
  MAX_CHUNK_BYTES,
  type AcceptedCall,
  type AcceptedCallListener,
  type CallOpening,
} from "@sluice/protocol";
import type { Call, CallListener } from "../call/call.ts";
import type { Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import { parseJsonBytes } from "../codec/json-text.ts";
import { statusFromError } from "../transcode/json-call.ts";
import type { DirectoryEntry } from "../wire/directory.ts";
import { wrongNumberOfMessages } from "../wire/request-messages.ts";

/** What a call is served with. */
export interface MultiplexCallOptions {
  /** The client's end of the call. */
  readonly accepted: AcceptedCall;
  readonly opening: CallOpening;
  readonly entry: DirectoryEntry;
  readonly metadata: Metadata;
  /** Whether a message of the client is being read. */
  readonly isReading: () => boolean;
  /** Told, before `report`, that the call ended for what the client did, or at its deadline. */
  readonly abandoned: () => void;
  /** Told once of how the call ended. */
  readonly report: (status: Status) => void;
}

/** One call of a client on its way to the backend; protobuf messages pass undecoded, JSON is transcoded. */
export class MultiplexCall implements AcceptedCallListener {
  readonly #options: MultiplexCallOptions;
  readonly #isJson: boolean;
  readonly #isSingle: boolean;
  readonly #answer: Answer;
  readonly #call: Call;
  #hasMessage = false;

  /** Opens the call at the backend. */
  constructor(options: MultiplexCallOptions) {
    const { entry, metadata, opening } = options;
    const { method, backend } = entry;
    const { timeout } = opening;
    this.#options = options;
    this.#isJson = opening.encoding === "json";
    this.#isSingle = method.kind === "unary" || method.kind === "server_streaming";
    const answer = new Answer(options, this.#isJson);
    const start = { method, metadata, takesViews: true };
    this.#call = backend.open(timeout === undefined ? start : { ...start, timeout }, answer);
    answer.begin(this.#call);
    this.#answer = answer;
  }

  message(bytes: Uint8Array): void {
    const { accepted, entry } = this.#options;
    if (this.#isSingle && this.#hasMessage) {
      return this.#abandon(wrongNumberOfMessages(entry.method, "more than one message"));
    }
    this.#hasMessage = true;
    const message = this.#isJson ? this.#bytesFromJson(bytes) : bytes;
    if (message === undefined) return;
    // More than one chunk was put together in memory of its own.
    const isView = message === bytes && bytes.length <= MAX_CHUNK_BYTES;
    if (!(isView ? this.#sendView(message) : this.#call.send(message))) accepted.pause();
  }

  halfClose(): void {
    if (this.#isSingle && !this.#hasMessage) {
      return this.#abandon(wrongNumberOfMessages(this.#options.entry.method, "no message"));
    }
    this.#call.halfClose();
  }

  drain(): void {
    this.#call.resume();
  }

  end(status: Status): void {
    // To the backend, a client whose connection is lost has left, and so has one whose connection breaks the protocol.
    const isLost = status.code === Code.UNAVAILABLE || this.#options.isReading();
    this.#abandon(isLost ? createStatus(Code.CANCELLED, status.message) : status);
  }

  /** Ends the call for what the client did. */
  #abandon(status: Status): void {
    this.#answer.isAbandoned = true;
    this.#call.cancel(status);
  }

  /** Sends what may be a view of a WebSocket message, whose memory is used again. */
  #sendView(message: Uint8Array): boolean {
    const call = this.#call;
    return call.sendView === undefined ? call.send(Buffer.from(message)) : call.sendView(message);
  }

  #bytesFromJson(bytes: Uint8Array): Uint8Array | undefined {
    try {
      return this.#options.entry.input.bytesFromJson(parseJsonBytes(bytes));
    } catch (error) {
      this.#abandon(statusFromError(error, Code.INVALID_ARGUMENT));
      return undefined;
    }
  }
}

/** What the backend answers, on its way to the client. */
class Answer implements CallListener {
  /** Whether the client has ended the call. */
  isAbandoned = false;
  readonly #options: MultiplexCallOptions;
  readonly #isJson: boolean;
  #call: Call | undefined;

  constructor(options: MultiplexCallOptions, isJson: boolean) {
    this.#options = options;
    this.#isJson = isJson;
  }

  /** Says which call is answered, before anything is. */
  begin(call: Call): void {
    this.#call = call;
  }

  headers(metadata: Metadata): void {
    this.#options.accepted.headers(metadata);
  }

  message(bytes: Uint8Array): void {
    const { accepted, entry } = this.#options;
    let message = bytes;
    if (this.#isJson) {
      try {
        message = Buffer.from(entry.output.jsonFromBytes(bytes));
      } catch (error) {
        this.#call?.cancel(statusFromError(error, Code.INTERNAL));
        return;
      }
    }
    if (!accepted.sendView(message)) this.#call?.pause();
  }

  drain(): void {
    this.#options.accepted.resume();
  }

  end(status: Status, trailers: Metadata): void {
    const { abandoned, accepted, opening, report } = this.#options;
    const isLate = status.code === Code.DEADLINE_EXCEEDED && opening.timeout !== undefined;
    if (this.isAbandoned || isLate) abandoned();
    accepted.end(status, trailers);
    report(status);
  }
}
