import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import type { Method } from "../schema/method.ts";
import type { CallHead } from "./grpc-head.ts";
import { MessageParser } from "./length-prefixed-message.ts";
import { MessageInflater } from "./message-inflater.ts";

/** What the body of a request turns out to be. In order; nothing follows `end` or `failed`. */
export interface RequestListener {
  /** `isCompressed` only where the head says that compressed messages are passed on. */
  message(bytes: Uint8Array, isCompressed: boolean): void;
  end(): void;
  /** The body is not what it has to be. */
  failed(status: Status): void;
  /** While this is true, the body should not be read on. */
  busy(isBusy: boolean): void;
}

/**
 * Makes messages of the body of a request: cuts it, inflates what the backend does not take compressed, and sees
 * that a method which takes one message is given one. Owns no stream.
 */
export class RequestMessages {
  readonly #parser: MessageParser;
  readonly #inflater: MessageInflater | undefined;
  readonly #listener: RequestListener;
  readonly #method: Method;
  readonly #isSingle: boolean;
  /** The message of a method that takes one, until it is known that no other follows. */
  #only: { readonly bytes: Uint8Array; readonly isCompressed: boolean } | undefined;
  #isOver = false;

  constructor({ start, encoding }: CallHead, maxBytes: number, listener: RequestListener) {
    const { kind } = start.method;
    this.#method = start.method;
    this.#isSingle = kind === "unary" || kind === "server_streaming";
    this.#listener = listener;
    const framing = { subject: "request", mayCompress: encoding !== undefined, maxBytes } as const;
    if (encoding !== undefined && start.encoding === undefined) {
      const inflater = new MessageInflater(encoding, maxBytes, {
        message: (bytes) => this.#message(bytes, false),
        end: () => this.#end(),
        failed: (status) => this.#fail(status),
        busy: (isBusy) => listener.busy(isBusy),
      });
      this.#inflater = inflater;
      this.#parser = new MessageParser(framing, (bytes, isCompressed) => inflater.push(bytes, isCompressed));
    } else {
      this.#parser = new MessageParser(framing, (bytes, isCompressed) => this.#message(bytes, isCompressed));
    }
  }

  /** The next bytes of the body. */
  push(chunk: Uint8Array): void {
    if (this.#isOver) return;
    const wrong = this.#parser.push(chunk);
    if (wrong !== undefined) this.#fail(wrong);
  }

  /** The body has ended. */
  end(): void {
    if (this.#isOver) return;
    const cut = this.#parser.finish();
    if (cut !== undefined) this.#fail(cut);
    else if (this.#inflater !== undefined) this.#inflater.end();
    else this.#end();
  }

  /** Tells nothing more. */
  stop(): void {
    this.#isOver = true;
    this.#inflater?.stop();
  }

  #message(bytes: Uint8Array, isCompressed: boolean): void {
    if (this.#isOver) return;
    if (!this.#isSingle) this.#listener.message(bytes, isCompressed);
    else if (this.#only === undefined) this.#only = { bytes, isCompressed };
    else this.#fail(wrongNumberOfMessages(this.#method, "more than one message"));
  }

  #end(): void {
    if (this.#isOver) return;
    if (this.#isSingle) {
      if (this.#only === undefined) return this.#fail(wrongNumberOfMessages(this.#method, "no message"));
      this.#listener.message(this.#only.bytes, this.#only.isCompressed);
    }
    this.#isOver = true;
    this.#listener.end();
  }

  #fail(status: Status): void {
    this.stop();
    this.#listener.failed(status);
  }
}

/**
 * The status of a call of a method that takes one message and was given `what`.
 * Source: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md, request cardinality violation.
 */
export function wrongNumberOfMessages({ path }: Method, what: string): Status {
  return createStatus(Code.UNIMPLEMENTED, `the request has ${what}, but ${path} takes one`);
}
