import type { WebSocketConnection } from "@sluice/websocket";
import type { Metadata } from "../call/metadata.ts";
import type { Status } from "../call/status.ts";
import { trailerBlock } from "../grpc-web/response.ts";
import { trailersFromStatus } from "../wire/grpc-trailers.ts";
import { compressedFlag, frameMessages, plainFlag } from "../wire/length-prefixed-message.ts";

/** The first byte of a frame that is headers or trailers. */
const metadataFlag = 0x80;

/**
 * Writes what a call answers: a frame of headers, frames of messages, a frame of trailers. Messages of one tick leave in
 * as few WebSocket messages as is cheap.
 */
export class ReplyWriter {
  readonly #connection: WebSocketConnection;
  readonly #pause: () => void;
  #messages: Uint8Array[] = [];
  #flags: number[] = [];
  #isScheduled = false;

  /** `pause` is called when the client reads more slowly than messages come. */
  constructor(connection: WebSocketConnection, pause: () => void) {
    this.#connection = connection;
    this.#pause = pause;
  }

  /** Sends the headers. Clients read nothing that stands behind them in the same WebSocket message. */
  headers(metadata: Metadata, encoding: string | undefined): void {
    const headers = { "content-type": "application/grpc+proto", ...metadata };
    this.#add(
      block(encoding === undefined ? headers : { ...headers, "grpc-encoding": encoding }),
      metadataFlag,
    );
    this.#flush();
  }

  message(bytes: Uint8Array, isCompressed: boolean): void {
    this.#add(bytes, isCompressed ? compressedFlag : plainFlag);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(flushLater, this);
  }

  /** Sends how the call ended, behind everything else. */
  trailers(status: Status, metadata: Metadata): void {
    this.#add(block(trailersFromStatus(status, metadata)), metadataFlag);
    this.#flush();
  }

  /** Sends what there is. */
  flushScheduled(): void {
    this.#isScheduled = false;
    this.#flush();
  }

  #add(bytes: Uint8Array, flag: number): void {
    this.#messages.push(bytes);
    this.#flags.push(flag);
  }

  #flush(): void {
    if (this.#messages.length === 0) return;
    const chunks = frameMessages(this.#messages, this.#flags);
    this.#messages = [];
    this.#flags = [];
    let goOn = true;
    for (const chunk of chunks) goOn = this.#connection.send(chunk);
    if (!goOn) this.#pause();
  }
}

function block(headers: Readonly<Record<string, string | readonly string[]>>): Buffer {
  return Buffer.from(trailerBlock(headers), "latin1");
}

/** Shared, because a closure for each tick would cost more than the write of a small message. */
function flushLater(writer: ReplyWriter): void {
  writer.flushScheduled();
}
