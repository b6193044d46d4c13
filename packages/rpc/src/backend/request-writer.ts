import type { ClientStream } from "../http2/client-stream.ts";
import {
  compressedFlag,
  framedLength,
  frameMessages,
  plainFlag,
  prefixBytes,
  writePrefix,
} from "../wire/length-prefixed-message.ts";

/** How many bytes of sent messages are kept until the backend answers, for the case that it refuses the stream. */
const replayBytes = 64 * 1024;

/** One for all messages: it is copied before the next one is begun. */
const prefix = new Uint8Array(prefixBytes);

/**
 * The request messages of one call on their way to a stream, before there is one and when it is replaced. They leave
 * together with all else that is sent within one turn of the event loop, for which the stream sees.
 */
export class RequestWriter {
  readonly #sendBufferBytes: number;
  readonly #onDrain: () => void;
  #stream: ClientStream | undefined;
  #unsent: Uint8Array[] = [];
  /** The first byte of each unsent message on the wire. */
  #unsentFlags: number[] = [];
  #unsentBytes = 0;
  /** What has been written to a stream that may yet be refused; undefined when it is too much or too late. */
  #replay: Uint8Array[] | undefined = [];
  #replayFlags: number[] = [];
  #replayBytes = 0;
  #halfClosed = false;
  /** Whether the stream has been told of the half-close. */
  #ended = false;
  #blocked = false;

  /** `onDrain` is called once after a `send` that answered false, when there is room again. */
  constructor(sendBufferBytes: number, onDrain: () => void) {
    this.#sendBufferBytes = sendBufferBytes;
    this.#onDrain = onDrain;
  }

  /** Whether everything sent so far could be sent again on another stream. */
  get isReplayable(): boolean {
    return this.#replay !== undefined;
  }

  /** Takes a message and answers whether to go on. */
  send(message: Uint8Array, isCompressed = false): boolean {
    if (this.#halfClosed) return false;
    return this.#sendNow(message, isCompressed) || this.#sendLater(message, isCompressed);
  }

  /** The same of a message that stays the caller's. */
  sendView(message: Uint8Array, isCompressed = false): boolean {
    if (this.#halfClosed) return false;
    return this.#sendNow(message, isCompressed) || this.#sendLater(Buffer.from(message), isCompressed);
  }

  /** Sends a message and keeps nothing of it; false where it has to wait, or may have to be sent again. */
  #sendNow(message: Uint8Array, isCompressed: boolean): boolean {
    if (this.#replay !== undefined || this.#unsentBytes > 0 || this.#stream === undefined) return false;
    writePrefix(prefix, message, isCompressed ? compressedFlag : plainFlag);
    return this.#stream.writeNow(prefix, message);
  }

  #sendLater(message: Uint8Array, isCompressed: boolean): boolean {
    this.#unsent.push(message);
    this.#unsentFlags.push(isCompressed ? compressedFlag : plainFlag);
    this.#unsentBytes += framedLength(message);
    this.#flush();
    if (this.#unsentBytes + (this.#stream?.unsentBytes ?? 0) >= this.#sendBufferBytes) this.#blocked = true;
    return !this.#blocked;
  }

  halfClose(): void {
    if (this.#halfClosed) return;
    this.#halfClosed = true;
    this.#flush();
  }

  /** Goes on to a stream: the first one, or the one after a stream that was refused. */
  attach(stream: ClientStream): void {
    this.#stream = stream;
    this.#flush();
  }

  /** The stream has sent all that it was given. */
  drained(): void {
    if (this.#unsentBytes === 0) this.#drain();
  }

  /** Takes back what was written to a stream that did not look at it; `isReplayable` must be true. */
  detach(): void {
    this.#stream = undefined;
    this.#ended = false;
    this.#unsent = [...(this.#replay ?? []), ...this.#unsent];
    this.#unsentFlags = [...this.#replayFlags, ...this.#unsentFlags];
    this.#unsentBytes += this.#replayBytes;
    this.#replay = [];
    this.#replayFlags = [];
    this.#replayBytes = 0;
  }

  /** Says that the stream will not be replaced any more. */
  commit(): void {
    this.#replay = undefined;
    this.#replayFlags = [];
  }

  /** Forgets everything: the call is over. */
  stop(): void {
    this.#stream = undefined;
    this.#halfClosed = true;
    this.#unsent = [];
    this.#unsentFlags = [];
    this.commit();
    this.#blocked = false;
  }

  /** Hands what is unsent to the stream. */
  #flush(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#ended) return;
    this.#ended = this.#halfClosed;
    stream.write(this.#take(), this.#ended);
  }

  /** The unsent messages as chunks for the wire. */
  #take(): Uint8Array[] {
    const messages = this.#unsent;
    const flags = this.#unsentFlags;
    if (messages.length === 0) return [];
    this.#keep(messages, flags, this.#unsentBytes);
    this.#unsent = [];
    this.#unsentFlags = [];
    this.#unsentBytes = 0;
    return frameMessages(messages, flags);
  }

  #keep(messages: readonly Uint8Array[], flags: readonly number[], bytes: number): void {
    if (this.#replay === undefined) return;
    this.#replayBytes += bytes;
    if (this.#replayBytes > replayBytes) return this.commit();
    this.#replay.push(...messages);
    this.#replayFlags.push(...flags);
  }

  #drain(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#onDrain();
  }
}
