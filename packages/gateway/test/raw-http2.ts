import { connect, type IncomingHttpHeaders } from "node:http2";

/** All of a response over HTTP/2. */
export interface RawResponse {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The code of RST_STREAM, 0 for a stream that ended in good order. */
  readonly rstCode: number;
}

/** What a raw request is made of. */
export interface RawRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly chunks?: readonly Uint8Array[];
  /** Leaves the request open. */
  readonly isOpen?: boolean;
}

/** Sends what no client would, on a connection of its own, and resolves when the stream has closed. */
export async function rawRequest(url: string, asked: RawRequest): Promise<RawResponse> {
  const session = connect(url);
  session.on("error", () => undefined);
  try {
    const stream = session.request(
      { ":method": asked.method ?? "POST", ":path": asked.path, ...asked.headers },
      { endStream: false },
    );
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on("response", (each) => (headers = each));
    stream.on("trailers", (each: IncomingHttpHeaders) => (trailers = each));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => undefined);
    for (const chunk of asked.chunks ?? []) stream.write(chunk);
    if (asked.isOpen !== true) stream.end();
    await new Promise((resolve) => stream.once("close", resolve));
    return { headers, trailers, body: Buffer.concat(chunks), rstCode: stream.rstCode ?? 0 };
  } finally {
    session.close();
  }
}

/** Messages as they stand in a body, all with the same first byte. */
export function framed(flags: number, ...messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt8(flags);
      prefix.writeUInt32BE(message.length, 1);
      return [prefix, message];
    }),
  );
}
