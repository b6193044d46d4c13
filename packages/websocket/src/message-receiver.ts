import { type Inflated, Inflater } from "./deflate/inflater.ts";
import type { AgreedCompression } from "./deflate/negotiation.ts";
import { WebSocketError } from "./error.ts";
import type { FrameSink } from "./frame-parser.ts";
import { Gather } from "./gather.ts";
import { Opcode } from "./opcode.ts";
import { MessagePipe, type MessageStream } from "./message-stream.ts";
import { isValidUtf8, Utf8Checker } from "./utf8.ts";

/** Who gets the whole messages, and the rest as the parser finds it. */
export interface MessageTarget {
  /** Whether messages are handed out as streams. */
  readonly takesStreams: boolean;
  /** Hands out a message that has just begun. */
  deliverStream(stream: MessageStream): void;
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
  /** The message that is handed out as a stream, and the check of its text. */
  #pipe: MessagePipe | undefined;
  #checker: Utf8Checker | undefined;

  constructor(target: MessageTarget, compression: AgreedCompression | undefined, maxMessageBytes: number) {
    this.#target = target;
    this.#inflater = compression === undefined ? undefined : new Inflater(compression, maxMessageBytes);
  }

  message(opcode: number, compressed: boolean, payload: Buffer): void {
    if (compressed) this.#inflate(opcode, payload);
    else this.#deliver(opcode, payload);
  }

  start(opcode: number, compressed: boolean, size: number): void {
    // What must be inflated is small enough to be whole.
    if (this.#target.takesStreams && !compressed) {
      this.#checker = opcode === Opcode.TEXT ? new Utf8Checker() : undefined;
      this.#openPipe(opcode);
      return;
    }
    this.#assembly = {
      opcode,
      compressed,
      gather: new Gather(size),
      checker: opcode === Opcode.TEXT && !compressed ? new Utf8Checker() : undefined,
    };
  }

  piece(data: Buffer): void {
    if (this.#pipe !== undefined) {
      this.#pipePiece(this.#pipe, data);
      return;
    }
    const { gather, checker } = this.#assembly!;
    if (checker?.push(data) === false) this.#notUtf8();
    else gather.add(data);
  }

  end(): void {
    if (this.#pipe !== undefined) {
      if (this.#checker?.end() === false) this.#notUtf8();
      else this.#endPipe(this.#pipe);
      return;
    }
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
    this.#pipe?.fail(error);
    this.#target.failed(error);
  }

  /** Ends a stream that is open, and frees the memory. */
  close(): void {
    this.#assembly = undefined;
    this.#pipe?.fail(new WebSocketError("connection_lost", "the connection ended inside a message"));
    this.#inflater?.close();
  }

  #deliver(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.TEXT && !isValidUtf8(payload)) {
      this.#notUtf8();
    } else if (this.#target.takesStreams) {
      const pipe = this.#openPipe(opcode);
      if (payload.length > 0) pipe.push(payload);
      this.#endPipe(pipe);
    } else {
      this.#target.deliver(payload, opcode === Opcode.BINARY);
    }
  }

  #openPipe(opcode: number): MessagePipe {
    const pipe = new MessagePipe(opcode === Opcode.BINARY);
    this.#pipe = pipe;
    this.#target.deliverStream(pipe);
    return pipe;
  }

  #pipePiece(pipe: MessagePipe, data: Buffer): void {
    if (this.#checker?.push(data) === false) this.#notUtf8();
    else if (!pipe.push(Buffer.from(data))) this.#waitFor(pipe);
  }

  /** The next message is not begun before this one is read. */
  #endPipe(pipe: MessagePipe): void {
    this.#pipe = undefined;
    if (!pipe.end()) this.#waitFor(pipe);
  }

  #waitFor(pipe: MessagePipe): void {
    this.#target.suspend();
    pipe.whenEmpty(() => this.#target.proceed(() => {}));
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
