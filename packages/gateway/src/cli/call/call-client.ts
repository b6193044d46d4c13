import type { Metadata, Method, Schema, Status } from "@sluice/rpc";
import type { ClientTls } from "../tls-flags.ts";

/** What a call tells; `end` is the last, once. */
export interface ClientCallListener {
  headers(metadata: Metadata): void;
  /** One reply as JSON text. */
  message(json: string): void;
  end(status: Status, trailers: Metadata): void;
}

/** A call in progress. */
export interface ClientCall {
  /** Sends one message, as JSON text. */
  send(json: string): void;
  halfClose(): void;
  cancel(): void;
}

/** What a call is made of. */
export interface ClientCallStart {
  readonly method: Method;
  readonly metadata: Metadata;
  /** Milliseconds; default: no deadline. */
  readonly timeout?: number;
}

/** One dialect, as a client speaks it with a server. */
export interface CallClient {
  open(start: ClientCallStart, listener: ClientCallListener): ClientCall;
  close(): Promise<void>;
}

/** What a client is made of. */
export interface CallClientOptions {
  /** The server: `http://host:port` or `https://host:port`. */
  readonly url: URL;
  readonly schema: Schema;
  /** How TLS is spoken, for `https:`. */
  readonly tls?: ClientTls;
}
