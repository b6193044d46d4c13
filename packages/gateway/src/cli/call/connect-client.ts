import { Code, codeFromHttpStatus } from "@sluice/protocol";
import { createStatus, noMetadata, okStatus, type Metadata, type Status } from "@sluice/rpc";
import type {
  CallClient,
  CallClientOptions,
  ClientCall,
  ClientCallListener,
  ClientCallStart,
} from "./call-client.ts";
import { frame, FrameReader, Http2Exchanges, metadataOf } from "./http2-exchange.ts";

interface ConnectError {
  readonly code?: string;
  readonly message?: string;
}

const endStreamFlag = 2;

/**
 * The Connect protocol with JSON, over HTTP/2.
 * Source: https://connectrpc.com/docs/protocol
 */
export class ConnectClient implements CallClient {
  readonly #exchanges: Http2Exchanges;

  constructor({ url, tls }: CallClientOptions) {
    this.#exchanges = new Http2Exchanges(url, tls);
  }

  open(start: ClientCallStart, listener: ClientCallListener): ClientCall {
    return start.method.kind === "unary"
      ? this.#openUnary(start, listener)
      : this.#openStream(start, listener);
  }

  close(): Promise<void> {
    return this.#exchanges.close();
  }

  #openUnary(start: ClientCallStart, listener: ClientCallListener): ClientCall {
    const chunks: Buffer[] = [];
    let httpStatus = 0;
    let trailers: Metadata = noMetadata;
    const exchange = this.#exchanges.open(start.method.path, headersOf(start, "application/json"), {
      head: (status, headers) => {
        httpStatus = status;
        const metadata = metadataOf(headers);
        trailers = withPrefix(metadata, "trailer-");
        listener.headers(metadata);
      },
      data: (chunk) => chunks.push(chunk),
      end: () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (httpStatus === 200) listener.message(text);
        listener.end(httpStatus === 200 ? okStatus : statusFromError(parse(text), httpStatus), trailers);
      },
      lost: (status) => listener.end(status, noMetadata),
    });
    let json = "{}";
    return {
      send: (text) => (json = text),
      halfClose: () => {
        exchange.write(Buffer.from(json));
        exchange.endRequest();
      },
      cancel: () => exchange.cancel(),
    };
  }

  #openStream(start: ClientCallStart, listener: ClientCallListener): ClientCall {
    let ended = false;
    let httpStatus = 0;
    const end = (status: Status, trailers: Metadata): void => {
      if (ended) return;
      ended = true;
      listener.end(status, trailers);
    };
    const reader = new FrameReader((flags, bytes) => {
      const text = bytes.toString("utf8");
      if ((flags & endStreamFlag) === 0) listener.message(text);
      else {
        const { error, metadata = {} } = parse(text) as { error?: ConnectError; metadata?: Metadata };
        end(error === undefined ? okStatus : statusFromError(error, 200), metadata);
      }
    });
    const exchange = this.#exchanges.open(start.method.path, headersOf(start, "application/connect+json"), {
      head: (status, headers) => {
        httpStatus = status;
        listener.headers(metadataOf(headers));
      },
      data: (chunk) => {
        if (httpStatus === 200) reader.push(chunk);
      },
      end: () => end(statusFromError({}, httpStatus), noMetadata),
      lost: (status) => end(status, noMetadata),
    });
    return {
      send: (text) => exchange.write(frame(Buffer.from(text))),
      halfClose: () => exchange.endRequest(),
      cancel: () => exchange.cancel(),
    };
  }
}

function headersOf(
  { metadata, timeout }: ClientCallStart,
  type: string,
): Record<string, string | readonly string[]> {
  return {
    ...metadata,
    "content-type": type,
    "connect-protocol-version": "1",
    ...(timeout === undefined ? {} : { "connect-timeout-ms": String(Math.ceil(timeout)) }),
  };
}

function statusFromError({ code, message = "" }: ConnectError, httpStatus: number): Status {
  const name = code === "canceled" ? "CANCELLED" : code?.toUpperCase();
  if (name !== undefined && name in Code) return createStatus(Code[name as keyof typeof Code], message);
  return createStatus(
    codeFromHttpStatus(httpStatus),
    message === "" ? `the server answered HTTP ${httpStatus}` : message,
  );
}

function parse(text: string): ConnectError {
  try {
    return JSON.parse(text) as ConnectError;
  } catch {
    return { message: text };
  }
}

function withPrefix(metadata: Metadata, prefix: string): Metadata {
  return Object.fromEntries(
    Object.entries(metadata)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}
