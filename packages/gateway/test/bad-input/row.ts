/** What a client was told in the end. */
export interface Outcome {
  /**
   * In short: an HTTP status, with the gRPC code if there is one (`400 INVALID_ARGUMENT`), the close code of a WebSocket
   * (`close 1002`), an error of HTTP/2 (`RST_STREAM CANCEL`, `GOAWAY PROTOCOL_ERROR`), or `closed`.
   */
  readonly said: string;
  /** The message for a person; may be empty. */
  readonly message: string;
}

/** One bad input, and what must come of it. */
export interface Row {
  readonly what: string;
  /** Sends it to a gateway on 127.0.0.1, on a connection of its own that has ended when this resolves. */
  readonly send: (port: number) => Promise<Outcome>;
  readonly said: string;
  readonly message?: RegExp;
  /** How often the test of leaks repeats it; default: some hundred times. Fewer for what is large. */
  readonly isLarge?: boolean;
}

/** The path of a method of the echo server. */
export const pathOf = (method: string): string => `/sluice.test.v1.${method}`;

/** The fields of a protobuf message `{text: "hello"}`, which most of the methods take. */
export const hello: Buffer = Buffer.from("0a0568656c6c6f", "hex");

export const mebibyte: number = 1024 * 1024;
