import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { Code } from "@sluice/protocol";
import { createStatus, type Metadata, type Status } from "@sluice/rpc";
import type { ClientTls } from "../tls-flags.ts";

/** What is told of an exchange; `lost` or `end` is the last, once. */
export interface ExchangeListener {
  head(httpStatus: number, headers: IncomingHttpHeaders): void;
  data(chunk: Buffer): void;
  end(): void;
  lost(status: Status): void;
}

/** One request and its response, both as they come. */
export interface Exchange {
  write(chunk: Uint8Array): void;
  endRequest(): void;
  cancel(): void;
}

/** Requests on one HTTP/2 connection. */
export class Http2Exchanges {
  readonly #session: ClientHttp2Session;
  readonly #origin: string;
  #error: Error | undefined;

  constructor(url: URL, tls: ClientTls = {}) {
    this.#origin = url.origin;
    this.#session = connect(url.origin, { ...tls });
    this.#session.on("error", (error: Error) => (this.#error = error));
  }

  open(
    path: string,
    headers: Readonly<Record<string, string | readonly string[]>>,
    listener: ExchangeListener,
  ): Exchange {
    const stream = this.#session.request({
      ":method": "POST",
      ":path": path,
      ...(headers as Record<string, string | string[]>),
    });
    let isOver = false;
    const lose = (message: string): void => {
      if (isOver) return;
      isOver = true;
      listener.lost(createStatus(Code.UNAVAILABLE, `${this.#origin}: ${message}`));
    };
    stream.on("response", (head) => listener.head(Number(head[":status"]), head));
    stream.on("data", (chunk: Buffer) => listener.data(chunk));
    stream.on("end", () => {
      if (isOver || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
      isOver = true;
      listener.end();
    });
    stream.on("error", (error) => lose(this.#error?.message ?? error.message));
    stream.on("close", () => lose(this.#error?.message ?? "the stream was reset"));
    return {
      write: (chunk) => stream.write(chunk),
      endRequest: () => stream.end(),
      cancel: () => {
        isOver = true;
        stream.close(constants.NGHTTP2_CANCEL);
      },
    };
  }

  async close(): Promise<void> {
    if (this.#session.destroyed) return;
    await new Promise<void>((resolve) => this.#session.close(resolve));
  }
}

/** The metadata among the headers of a response, but for those of HTTP and of the dialect itself. */
export function metadataOf(headers: IncomingHttpHeaders): Metadata {
  const metadata: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (
      name.startsWith(":") ||
      value === undefined ||
      /^(?:content-|connect-|grpc-|date$|x-accel|cache-)/.test(name)
    )
      continue;
    metadata[name] = value;
  }
  return metadata;
}

/** A length-prefixed message. */
export function frame(bytes: Uint8Array, flags = 0): Buffer {
  const framed = Buffer.allocUnsafe(5 + bytes.length);
  framed[0] = flags;
  framed.writeUInt32BE(bytes.length, 1);
  framed.set(bytes, 5);
  return framed;
}

/** Cuts a response into length-prefixed messages. */
export class FrameReader {
  readonly #found: (flags: number, bytes: Buffer) => void;
  #held: Buffer = Buffer.alloc(0);

  constructor(found: (flags: number, bytes: Buffer) => void) {
    this.#found = found;
  }

  push(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (this.#held.length >= 5) {
      const end = 5 + this.#held.readUInt32BE(1);
      if (this.#held.length < end) return;
      this.#found(this.#held[0] ?? 0, this.#held.subarray(5, end));
      this.#held = this.#held.subarray(end);
    }
  }
}
