import { Code } from "@sluice/protocol";
import { statusFromError, type JsonCall } from "./json-call.ts";
import { JsonSplitter } from "./json-splitter.ts";

/** Where the bytes of a client come from. */
export interface JsonSource {
  pause(): unknown;
  resume(): unknown;
}

/** What the reader does to a call, whatever the call's replies are. */
type JsonTarget = Pick<JsonCall<unknown>, "write" | "halfClose" | "cancel">;

/**
 * Reads the stream of JSON texts of a client into its call, and stops the client while the call takes no more.
 * What is wrong with the stream ends the call.
 */
export class JsonReader {
  readonly #call: JsonTarget;
  readonly #source: JsonSource;
  readonly #splitter: JsonSplitter;

  /** `maxBytes` bounds one text. */
  constructor(call: JsonTarget, source: JsonSource, maxBytes: number) {
    this.#call = call;
    this.#source = source;
    this.#splitter = new JsonSplitter(maxBytes, (text) => call.write(text));
  }

  push(chunk: Buffer): void {
    this.#guard(() => {
      if (!this.#splitter.push(chunk)) this.#source.pause();
    });
  }

  /** The client sends no more. */
  end(): void {
    this.#guard(() => {
      this.#splitter.end();
      this.#call.halfClose();
    });
  }

  /** The call takes more again. */
  drain(): void {
    this.#guard(() => {
      if (this.#splitter.resume()) this.#source.resume();
    });
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      const status = statusFromError(error, Code.INVALID_ARGUMENT);
      const isTooLarge = status.code === Code.RESOURCE_EXHAUSTED;
      this.#call.cancel(isTooLarge ? { ...status, message: `${status.message} (--max-message)` } : status);
    }
  }
}
