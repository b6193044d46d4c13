import { Code } from "@sluice/protocol";
import { CloseCode, type WebSocketConnection } from "@sluice/websocket";
import type { Call, CallListener } from "../call/call.ts";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import { lateBody } from "../wire/body-deadline.ts";
import type { DirectoryEntry } from "../wire/directory.ts";
import { grpcHeadFrom, type CallHead } from "../wire/grpc-head.ts";
import { metadataFromHeaders } from "../wire/metadata-headers.ts";
import { RequestMessages } from "../wire/request-messages.ts";
import { metadataOfCall } from "../wire/socket-metadata.ts";
import { mediaType } from "../wire/content-type.ts";
import { headersFromBlock, maxHeaderBytes, parseHeaderBlock } from "./header-block.ts";
import { ReplyWriter } from "./reply-writer.ts";

/** What a call is served with. */
export interface GrpcWebSocketsCallOptions {
  /** What is called, or why nothing can be. */
  readonly entry: DirectoryEntry | Status;
  /** What the request for the socket brought. */
  readonly metadata: Metadata;
  readonly maxMessageBytes: number;
  /** Milliseconds for the first message, and for the only one of a method that takes one. */
  readonly bodyMs: number;
  /** Told once of how the call ended. */
  readonly report: (status: Status) => void;
}

/** The first byte of a client's message: bytes of the request follow, or none ever will. */
const dataByte = 0;
const halfCloseByte = 1;

/** The content types in a client's headers; some send none. */
const contentTypes = new Set(["", "application/grpc-web", "application/grpc-web+proto"]);

type State =
  | { readonly kind: "head" }
  | { readonly kind: "open"; readonly call: Call; readonly messages: RequestMessages }
  | { readonly kind: "over" };

/**
 * One call on one WebSocket: the client's first message is its headers, the others are pieces of a stream of
 * length-prefixed messages; the answers are frames of headers, messages and trailers, and then the socket closes.
 */
export class GrpcWebSocketsCall implements CallListener {
  readonly #connection: WebSocketConnection;
  readonly #options: GrpcWebSocketsCallOptions;
  readonly #writer: ReplyWriter;
  #state: State = { kind: "head" };
  #timer: NodeJS.Timeout | undefined;
  #isHalfClosed = false;
  /** Why nothing is read: the backend does not take more, a message is being inflated. */
  #isBlocked = false;
  #isBusy = false;

  constructor(connection: WebSocketConnection, options: GrpcWebSocketsCallOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#writer = new ReplyWriter(connection, () => {
      if (this.#state.kind === "open") this.#state.call.pause();
    });
    this.#timer = setTimeout(() => this.cancel(lateBody(options.bodyMs)), options.bodyMs);
  }

  /** A message of the client. */
  receive(data: Buffer, isBinary: boolean): void {
    const state = this.#state;
    // Nothing counts behind the half-close.
    if (state.kind === "over" || this.#isHalfClosed) return;
    if (!isBinary) return this.cancel(malformed("a text message; all messages are binary"));
    if (state.kind === "head") return this.#begin(data);
    if (data.length === 0) return;
    const [kind] = data;
    if (kind === dataByte) state.messages.push(data.subarray(1));
    else if (kind === halfCloseByte && data.length === 1) this.#halfClose(state.messages);
    else this.cancel(malformed(`a message that begins with the byte ${kind}; it is 0, or 1 alone`));
  }

  /** The socket has room again. */
  resume(): void {
    if (this.#state.kind === "open") this.#state.call.resume();
  }

  /** Ends the call with a status; without effect once it is over. */
  cancel(status: Status): void {
    if (this.#state.kind === "open") this.#state.call.cancel(status);
    else this.end(status, noMetadata);
  }

  headers(metadata: Metadata, encoding?: string): void {
    this.#writer.headers(metadata, encoding);
  }

  message(bytes: Uint8Array, isCompressed = false): void {
    this.#writer.message(bytes, isCompressed);
  }

  drain(): void {
    this.#isBlocked = false;
    this.#regulate();
  }

  end(status: Status, trailers: Metadata): void {
    if (this.#state.kind === "over") return;
    if (this.#state.kind === "open") this.#state.messages.stop();
    this.#state = { kind: "over" };
    clearTimeout(this.#timer);
    // Whatever is still to come must be read, or the peer's close frame is not.
    this.#connection.resume();
    this.#writer.trailers(status, trailers);
    this.#connection.close(CloseCode.NORMAL, "");
    this.#options.report(status);
  }

  #begin(block: Buffer): void {
    const { entry } = this.#options;
    if ("code" in entry) return this.end(entry, noMetadata);
    const head = this.#readHead(block, entry);
    if ("code" in head) return this.end(head, noMetadata);
    const { kind } = entry.method;
    if (kind !== "unary" && kind !== "server_streaming") clearTimeout(this.#timer);
    const messages = new RequestMessages(head, this.#options.maxMessageBytes, {
      message: (bytes, isCompressed) => this.#send(bytes, isCompressed),
      end: () => {
        if (this.#state.kind === "open") this.#state.call.halfClose();
      },
      failed: (status) => this.cancel(status),
      busy: (isBusy) => {
        this.#isBusy = isBusy;
        this.#regulate();
      },
    });
    const call = entry.backend.open(head.start, this);
    this.#state = { kind: "open", call, messages };
  }

  #readHead(block: Buffer, entry: DirectoryEntry): CallHead | Status {
    if (block.length > maxHeaderBytes) {
      const what = `the headers have ${block.length} bytes, more than the maximum of ${maxHeaderBytes}`;
      return createStatus(Code.RESOURCE_EXHAUSTED, what);
    }
    const raw = parseHeaderBlock(block);
    if (raw === undefined) return malformed("a first message that is not lines of headers");
    const headers = headersFromBlock(raw);
    const type = mediaType(headers["content-type"]?.toString());
    if (!contentTypes.has(type)) {
      return createStatus(Code.UNIMPLEMENTED, `the content-type ${JSON.stringify(type)} is not served here`);
    }
    const metadata = metadataOfCall(this.#options.metadata, metadataFromHeaders(raw));
    return grpcHeadFrom(headers, metadata, entry, true);
  }

  #halfClose(messages: RequestMessages): void {
    this.#isHalfClosed = true;
    clearTimeout(this.#timer);
    messages.end();
  }

  #send(bytes: Uint8Array, isCompressed: boolean): void {
    if (this.#state.kind !== "open" || this.#state.call.send(bytes, isCompressed)) return;
    this.#isBlocked = true;
    this.#regulate();
  }

  #regulate(): void {
    if (this.#state.kind !== "open") return;
    if (this.#isBlocked || this.#isBusy) this.#connection.pause();
    else this.#connection.resume();
  }
}

function malformed(what: string): Status {
  return createStatus(Code.INVALID_ARGUMENT, `the client sent ${what}`);
}
