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
}

/** A message that has begun. */
interface Assembly {
  readonly gather: Gather;
  /** Checks a text as it arrives; none for binary. */
  readonly checker: Utf8Checker | undefined;
}

/** Makes whole, checked messages of what a `FrameParser` finds. */
export class MessageReceiver implements FrameSink {
  readonly #target: MessageTarget;
  #assembly: Assembly | undefined;

  constructor(target: MessageTarget) {
    this.#target = target;
  }

  message(opcode: number, _compressed: boolean, payload: Buffer): void {
    if (opcode === Opcode.BINARY) this.#target.deliver(payload, true);
    else if (isValidUtf8(payload)) this.#target.deliver(payload, false);
    else this.#notUtf8();
  }

  start(opcode: number, _compressed: boolean, size: number): void {
    this.#assembly = {
      gather: new Gather(size),
      checker: opcode === Opcode.TEXT ? new Utf8Checker() : undefined,
    };
  }

  piece(data: Buffer): void {
    const { gather, checker } = this.#assembly!;
    if (checker?.push(data) === false) this.#notUtf8();
    else gather.add(data);
  }

  end(): void {
    const { gather, checker } = this.#assembly!;
    this.#assembly = undefined;
    if (checker?.end() === false) this.#notUtf8();
    else this.#target.deliver(gather.take(), checker === undefined);
  }

  control(opcode: number, payload: Buffer): void {
    this.#target.control(opcode, payload);
  }

  failed(error: WebSocketError): void {
    this.#assembly = undefined;
    this.#target.failed(error);
  }

  #notUtf8(): void {
    this.failed(new WebSocketError("payload_invalid", "a text message is not valid UTF-8"));
  }
}
