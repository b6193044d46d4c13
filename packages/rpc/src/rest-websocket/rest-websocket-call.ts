import { Code, nameOfCode } from "@sluice/protocol";
import { CloseCode, type WebSocketConnection } from "@sluice/websocket";
import type { Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { MessageCodec } from "../codec/message-codec.ts";
import { JsonCall, type JsonCallListener, type JsonCallStart } from "../transcode/json-call.ts";
import { JsonReader } from "../transcode/json-reader.ts";
import { jsonFromStatus } from "../transcode/status-json.ts";
import { envelopeProtocol } from "./subprotocol.ts";

const newline = Buffer.from("\n");

/** What a call on a WebSocket needs beside the start of its JSON call. */
export interface RestWebSocketCallOptions extends Omit<JsonCallStart<string>, "read"> {
  readonly maxMessageBytes: number;
  /** The codec of the details of errors. */
  readonly any: MessageCodec;
  readonly ended: (status: Status) => void;
}

/**
 * One call on one WebSocket. The client's messages are a stream of JSON texts, where the end of a message
 * counts as white space; an empty text message is the half-close. Each answer is a text message, and the socket closes
 * when the call has ended: with 1000 after success, with 4000 and the gRPC code after a failure.
 */
export class RestWebSocketCall implements JsonCallListener<string> {
  readonly #connection: WebSocketConnection;
  readonly #options: RestWebSocketCallOptions;
  readonly #call: JsonCall<string>;
  readonly #reader: JsonReader;
  readonly #enveloped: boolean;
  readonly #bare: boolean;
  #halfClosed = false;
  #ended = false;

  constructor(connection: WebSocketConnection, options: RestWebSocketCallOptions) {
    this.#connection = connection;
    this.#options = options;
    const { kind } = options.transcoder.binding.method;
    this.#enveloped = connection.protocol === envelopeProtocol;
    this.#bare = !this.#enveloped && (kind === "unary" || kind === "client_streaming");
    this.#call = new JsonCall(
      { ...options, read: (bytes) => options.transcoder.jsonFromResponse(bytes) },
      this,
    );
    this.#reader = new JsonReader(this.#call, connection, options.maxMessageBytes);
    if (this.#needsNoMessage) this.#call.halfClose();
  }

  get #needsNoMessage(): boolean {
    return !this.#call.streamed && this.#options.transcoder.binding.body === "none";
  }

  /** A message of the client, text or binary. */
  receive(data: Buffer, isBinary: boolean): void {
    // Clients of grpc-websocket-proxy send `{}` to begin a call that takes nothing from a body.
    if (this.#ended || this.#needsNoMessage) return;
    if (data.length === 0 && !isBinary) {
      if (this.#halfClosed) return;
      this.#halfClosed = true;
      this.#reader.end();
    } else if (this.#halfClosed) {
      this.#call.cancel(
        createStatus(Code.INVALID_ARGUMENT, "a message after the empty one that ends the stream"),
      );
    } else {
      this.#reader.push(data);
      this.#reader.push(newline);
    }
  }

  /** The socket has room again. */
  resume(): void {
    this.#call.resume();
  }

  /** The socket is gone. */
  abandon(reason: string): void {
    this.#call.cancel(createStatus(Code.CANCELLED, reason));
  }

  headers(metadata: Metadata): void {
    if (this.#enveloped) this.#send(`{"headers":${JSON.stringify(metadata)}}`);
  }

  message(json: string): void {
    this.#send(this.#bare ? json : `{"result":${json}}`);
  }

  drain(): void {
    this.#reader.drain();
  }

  end(status: Status, trailers: Metadata): void {
    this.#ended = true;
    // Whatever is still to come must be read, or the peer's close frame is not.
    this.#connection.resume();
    if (this.#enveloped) {
      const json = jsonFromStatus(status, this.#options.any);
      this.#send(`{"status":${json},"trailers":${JSON.stringify(trailers)}}`);
    } else if (status.code !== Code.OK) {
      const json = jsonFromStatus(status, this.#options.any);
      this.#send(this.#bare ? json : `{"error":${json}}`);
    }
    if (status.code === Code.OK) this.#connection.close(CloseCode.NORMAL, "");
    else this.#connection.close(4000 + status.code, closeReason(status));
    this.#options.ended(status);
  }

  #send(text: string): void {
    if (!this.#connection.send(text)) this.#call.pause();
  }
}

/** `NOT_FOUND: no such order`, cut to the 123 bytes of UTF-8 that a close frame holds (RFC 6455, section 5.5). */
export function closeReason(status: Status): string {
  const text = `${nameOfCode(status.code)}: ${status.message}`;
  const bytes = Buffer.from(text);
  if (bytes.length <= 123) return text;
  let end = 123;
  // Not into the middle of a character: its continuation bytes are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}
