import { Code } from "@sluice/protocol";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { Method } from "../schema/method.ts";
import { MessageParser } from "../wire/length-prefixed-message.ts";
import { metadataFromHeaders } from "../wire/metadata-headers.ts";
import {
  isGrpcContentType,
  statusFromHttp,
  statusFromTrailers,
  type ResponseHeaders,
} from "./response-status.ts";

/** What a response may be. */
export interface ExpectedResponse {
  readonly method: Method;
  /** The largest message in bytes. */
  readonly maxMessageBytes: number;
  /** The encodings that were offered, `identity` aside. */
  readonly acceptEncodings: readonly string[];
  /** Whether messages may be views of memory that is used again. */
  readonly takesViews: boolean;
}

/** What is found in a response. */
export interface ResponseSink {
  message(bytes: Uint8Array, isCompressed: boolean): void;
  /** Once. `trailers` is undefined when the response broke the protocol, and more of it may follow. */
  end(status: Status, trailers: Metadata | undefined): void;
}

/** How much of a response that is not gRPC is shown in its status. */
const shownBytes = 400;

type State =
  | { readonly kind: "messages"; readonly parser: MessageParser; count: number }
  | {
      readonly kind: "foreign";
      readonly status: number;
      readonly contentType: string | undefined;
      body: Buffer;
    }
  | { readonly kind: "waiting" }
  | { readonly kind: "ended" };

/** Makes messages and a status of the headers, the bytes and the trailers of one response. Owns no stream. */
export class ResponseReader {
  readonly #expected: ExpectedResponse;
  readonly #sink: ResponseSink;
  #state: State = { kind: "waiting" };

  constructor(expected: ExpectedResponse, sink: ResponseSink) {
    this.#expected = expected;
    this.#sink = sink;
  }

  /** `isLast` says that nothing follows. Answers whether these are the headers of a gRPC response that goes on. */
  headers(headers: ResponseHeaders, raw: readonly string[], isLast: boolean): boolean {
    const httpStatus = Number(headers[":status"]);
    const contentType = headers["content-type"];
    if (isLast) {
      const status = statusFromTrailers(headers) ?? statusFromHttp(httpStatus, contentType, "");
      const isEmpty = status.code === Code.OK && this.#isSingle();
      this.#end(isEmpty ? this.#violation("no message") : status, metadataFromHeaders(raw));
      return false;
    }
    if (httpStatus !== 200 || !isGrpcContentType(contentType)) {
      this.#state = { kind: "foreign", status: httpStatus, contentType, body: Buffer.alloc(0) };
      return false;
    }
    const { acceptEncodings, maxMessageBytes, takesViews } = this.#expected;
    const encoding = headers["grpc-encoding"];
    const mayCompress = encoding !== undefined && encoding !== "identity";
    if (mayCompress && !acceptEncodings.includes(encoding)) {
      const message = `the response has the grpc-encoding ${encoding}, which was not offered`;
      this.#end(createStatus(Code.INTERNAL, message), undefined);
      return false;
    }
    const parser = new MessageParser(
      { subject: "response", mayCompress, maxBytes: maxMessageBytes, memory: takesViews ? "lent" : "reused" },
      (bytes, isCompressed) => this.#message(bytes, isCompressed),
    );
    this.#state = { kind: "messages", parser, count: 0 };
    return true;
  }

  /** Bytes of the body. */
  data(chunk: Uint8Array): void {
    const state = this.#state;
    if (state.kind === "messages") {
      const wrong = state.parser.push(chunk);
      if (wrong !== undefined) this.#end(wrong, undefined);
    } else if (state.kind === "foreign") {
      state.body = Buffer.concat([state.body, chunk.subarray(0, shownBytes - state.body.length)]);
      if (state.body.length >= shownBytes) this.endOfBody();
    }
  }

  /** The trailers, with which the response ends. */
  trailers(trailers: ResponseHeaders, raw: readonly string[]): void {
    const state = this.#state;
    if (state.kind === "ended") return;
    const status = statusFromTrailers(trailers);
    if (state.kind === "foreign" && (status === undefined || status.code === Code.OK))
      return this.endOfBody();
    if (status === undefined) {
      return this.#end(
        createStatus(Code.UNKNOWN, "the backend sent trailers without a grpc-status"),
        noMetadata,
      );
    }
    const wrong = status.code === Code.OK ? this.#incomplete() : undefined;
    this.#end(wrong ?? status, metadataFromHeaders(raw));
  }

  /** The body has ended, and no trailers came; does nothing when there was no body. */
  endOfBody(): void {
    const state = this.#state;
    if (state.kind === "ended" || state.kind === "waiting") return;
    if (state.kind === "foreign") {
      return this.#end(
        statusFromHttp(state.status, state.contentType, state.body.toString("utf8")),
        undefined,
      );
    }
    const missing = createStatus(Code.INTERNAL, "the backend ended its response without trailers");
    this.#end(state.parser.finish() ?? missing, noMetadata);
  }

  #message(bytes: Uint8Array, isCompressed: boolean): void {
    const state = this.#state;
    if (state.kind !== "messages") return;
    state.count++;
    if (state.count > 1 && this.#isSingle())
      return this.#end(this.#violation("more than one message"), undefined);
    this.#sink.message(bytes, isCompressed);
  }

  /** What a response lacks that says that all went well. */
  #incomplete(): Status | undefined {
    const state = this.#state;
    if (state.kind !== "messages") return undefined;
    const cut = state.parser.finish();
    if (cut !== undefined) return cut;
    return state.count === 0 && this.#isSingle() ? this.#violation("no message") : undefined;
  }

  #isSingle(): boolean {
    const { kind } = this.#expected.method;
    return kind === "unary" || kind === "client_streaming";
  }

  /** Source: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md, response cardinality violation. */
  #violation(what: string): Status {
    const message = `the backend answered ${this.#expected.method.path} with ${what}, but it has exactly one`;
    return createStatus(Code.UNIMPLEMENTED, message);
  }

  #end(status: Status, trailers: Metadata | undefined): void {
    this.#state = { kind: "ended" };
    this.#sink.end(status, trailers);
  }
}
