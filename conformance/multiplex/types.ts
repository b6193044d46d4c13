import type { Any } from "@bufbuild/protobuf/wkt";
import type { Message } from "@bufbuild/protobuf";

/** connectrpc.conformance.v1.Header */
export interface Header {
  readonly name: string;
  readonly value: string[];
}

/** What is read of connectrpc.conformance.v1.ClientCompatRequest. */
export type ClientCompatRequest = Message & {
  readonly testName: string;
  readonly host: string;
  readonly port: number;
  readonly messageReceiveLimit: number;
  readonly service?: string;
  readonly method?: string;
  /** 1 unary, 2 client stream, 3 server stream, 4 half-duplex, 5 full-duplex. */
  readonly streamType: number;
  readonly requestHeaders: readonly Header[];
  readonly requestMessages: readonly Any[];
  readonly timeoutMs?: number;
  readonly requestDelayMs: number;
  readonly cancel?: {
    readonly cancelTiming:
      | { readonly case: "beforeCloseSend" }
      | { readonly case: "afterCloseSendMs" | "afterNumResponses"; readonly value: number }
      | { readonly case: undefined };
  };
};

/** A reply of any method: what came is in its payload. */
export type Reply = Message & { readonly payload?: Message };

/** connectrpc.conformance.v1.ClientResponseResult */
export type ClientResponseResult = {
  responseHeaders: Header[];
  payloads: Message[];
  error?: { code: number; message: string; details: { typeUrl: string; value: Uint8Array }[] };
  responseTrailers: Header[];
  numUnsentRequests: number;
};
