import type { HttpResponse } from "../rest/http-message.ts";
import { frameMessages } from "./length-prefixed-message.ts";

/** One message in the body of a response, with the first byte of its prefix. */
export interface Envelope {
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** What a body is written with. */
export interface BodyWriterOptions {
  /** Called when the client reads more slowly than messages come; the response's `drain` event ends it. */
  readonly pause: () => void;
  /** Turns the bytes of envelopes into what stands on the wire, as base64 text does. */
  readonly encode?: (chunks: readonly Uint8Array[]) => Uint8Array;
}

/** Writes envelopes into the body of a response. Those of one tick leave in one write. */
export class BodyWriter {
  readonly #response: HttpResponse;
  readonly #options: BodyWriterOptions;
  #messages: Uint8Array[] = [];
  #flags: number[] = [];
  #isScheduled = false;

  constructor(response: HttpResponse, options: BodyWriterOptions) {
    this.#response = response;
    this.#options = options;
  }

  write(bytes: Uint8Array, flags: number): void {
    this.#messages.push(bytes);
    this.#flags.push(flags);
    this.schedule();
  }

  /** Sends what there is when the tick is over, and the head of the response alone if there is nothing. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(flushLater, this);
  }

  flush(): void {
    this.#isScheduled = false;
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    const chunks = this.#take();
    if (chunks.length === 0) {
      if (!response.headersSent) response.flushHeaders?.();
      return;
    }
    let goOn = true;
    for (const chunk of chunks) goOn = response.write(chunk);
    if (!goOn) this.#options.pause();
  }

  /** Sends what there is and ends the response. */
  end(): void {
    const response = this.#response;
    const chunks = this.#take();
    const last = chunks.pop();
    for (const chunk of chunks) response.write(chunk);
    if (last === undefined) response.end();
    else response.end(last);
  }

  #take(): Uint8Array[] {
    const messages = this.#messages;
    if (messages.length === 0) return [];
    const chunks = frameMessages(messages, this.#flags);
    this.#messages = [];
    this.#flags = [];
    const { encode } = this.#options;
    return encode === undefined ? chunks : [encode(chunks)];
  }
}

/** Shared, because a closure for each tick would cost more than the write of a small message. */
function flushLater(writer: BodyWriter): void {
  writer.flush();
}
