import { type Inflated, Inflater } from "./deflate/inflater.ts";
import type { AgreedCompression } from "./deflate/negotiation.ts";
import { WebSocketError } from "./error.ts";
import type { FrameSink } from "./frame-parser.ts";
import { Gather } from "./gather.ts";
import { Opcode } from "./opcode.ts";
import { isValidUtf8, Utf8Checker } from "./utf8.ts";

/** Who gets the whole messages, and the rest as the parser finds it. */
export interface MessageTarget {
  deliver(data: Buffer, isBinary: boolean): void;
  control(opcode: number, payload: Buffer): void;
  failed(error: WebSocketError): void;
  /** Gives nothing more to the parser, until `proceed()`. */
  suspend(): void;
  /** Does the rest of what could not be done at once, and goes on. */
  proceed(rest: () => void): void;
}

/** A message that has begun. */
interface Assembly {
  readonly opcode: number;
  readonly compressed: boolean;
  readonly gather: Gather;
  /** Checks a text as it arrives; none for binary, and for what must be inflated first. */
  readonly checker: Utf8Checker | undefined;
}

/** Makes whole, checked messages of what a `FrameParser` finds. */
export class MessageReceiver implements FrameSink {
  readonly #target: MessageTarget;
  readonly #inflater: Inflater | undefined;
  #assembly: Assembly | undefined;

  constructor(target: MessageTarget, compression: AgreedCompression | undefined, maxMessageBytes: number) {
    this.#target = target;
    this.#inflater = compression === undefined ? undefined : new Inflater(compression, maxMessageBytes);
  }

  message(opcode: number, compressed: boolean, payload: Buffer): void {
    if (compressed) this.#inflate(opcode, payload);
    else this.#deliver(opcode, payload);
  }

  start(opcode: number, compressed: boolean, size: number): void {
    this.#assembly = {
      opcode,
      compressed,
      gather: new Gather(size),
      checker: opcode === Opcode.TEXT && !compressed ? new Utf8Checker() : undefined,
    };
  }

  piece(data: Buffer): void {
    const { gather, checker } = this.#assembly!;
    if (checker?.push(data) === false) this.#notUtf8();
    else gather.add(data);
  }

  end(): void {
    const { opcode, compressed, gather, checker } = this.#assembly!;
    this.#assembly = undefined;
    if (compressed) this.#inflate(opcode, gather.take());
    else if (checker?.end() === false) this.#notUtf8();
    else this.#target.deliver(gather.take(), opcode === Opcode.BINARY);
  }

  control(opcode: number, payload: Buffer): void {
    this.#target.control(opcode, payload);
  }

  failed(error: WebSocketError): void {
    this.#assembly = undefined;
    this.#target.failed(error);
  }

  /** Frees the memory. */
  close(): void {
    this.#assembly = undefined;
    this.#inflater?.close();
  }

  #deliver(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.BINARY) this.#target.deliver(payload, true);
    else if (isValidUtf8(payload)) this.#target.deliver(payload, false);
    else this.#notUtf8();
  }

  #inflate(opcode: number, payload: Buffer): void {
    const inflated = this.#inflater!.inflate(payload, (later) => {
      this.#target.proceed(() => this.#inflated(opcode, later));
    });
    if (inflated === undefined) this.#target.suspend();
    else this.#inflated(opcode, inflated);
  }

  #inflated(opcode: number, inflated: Inflated): void {
    if (inflated instanceof WebSocketError) this.failed(inflated);
    else this.#deliver(opcode, inflated);
  }

  #notUtf8(): void {
    this.failed(new WebSocketError("payload_invalid", "a text message is not valid UTF-8"));
  }
}
