import { errorCode, maxPayloadBytes, maxWindowBytes } from "./frame.ts";
import { tell, throwLater } from "./tell.ts";

/** So many bytes may be sent without waiting for a turn: one chunk of the multiplex wire, and its prefix. */
const mostAtOnce = 17 * 1024;

/** What a stream tells of the response. `closed` is the last, and comes once. */
export interface StreamListener {
  /** The head of the response, names and values in turn; with `isLast` there is nothing else. */
  head(fields: readonly string[], isLast: boolean): void;
  data(bytes: Uint8Array): void;
  /** The trailers, with which the response ends. */
  trailers(fields: readonly string[]): void;
  /** The response has ended, without trailers. */
  end(): void;
  /** What was written has all been sent. */
  drain(): void;
  /** Nothing follows, because all is there, because a side reset the stream with `errorCode`, or with the connection. */
  closed(errorCode: number): void;
}

/** What a stream asks of its session. */
export interface StreamOwner {
  /** The stream has something to send. */
  schedule(stream: ClientStream): void;
  /** Sends RST_STREAM. */
  reset(stream: ClientStream, errorCode: number): void;
  /** Sends DATA with two chunks at once, and keeps nothing of them; false where it cannot, and has sent nothing. */
  sendNow(stream: ClientStream, first: Uint8Array, second: Uint8Array): boolean;
  /** Lets the peer send so many bytes more. */
  credit(stream: ClientStream, bytes: number): void;
  /** The stream is over. */
  forget(stream: ClientStream): void;
}

/** One request and its response on an HTTP/2 connection. */
export class ClientStream {
  readonly id: number;
  readonly #owner: StreamOwner;
  readonly #listener: StreamListener;
  /** What is not sent yet, the first chunk from `#offset` on. */
  #unsent: Uint8Array[] = [];
  #offset = 0;
  #unsentBytes = 0;
  #isEnded = false;
  #isSent = false;
  /** How much the peer takes. */
  #sendWindow: number;
  /** How much the peer may send, and how much of it was taken and not yet allowed anew. */
  #receiveWindow: number;
  readonly #windowBytes: number;
  #taken = 0;
  /** What has arrived while the stream was paused. */
  #held: Uint8Array[] = [];
  #isPaused = false;
  #isResuming = false;
  #hasHead = false;
  #isBodyOver = false;
  #closedWith: number | undefined;

  constructor(
    id: number,
    windows: { readonly send: number; readonly receive: number },
    owner: StreamOwner,
    listener: StreamListener,
  ) {
    this.id = id;
    this.#sendWindow = windows.send;
    this.#receiveWindow = windows.receive;
    this.#windowBytes = windows.receive;
    this.#owner = owner;
    this.#listener = listener;
  }

  /** Bytes that were written and have not been sent. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Whether the request has been ended, and whether its end has been sent. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isSent(): boolean {
    return this.#isSent;
  }

  get isClosed(): boolean {
    return this.#closedWith !== undefined;
  }

  /** Sends chunks, which belong to the stream from then on, and with `isLast` ends the request. */
  write(chunks: readonly Uint8Array[], isLast: boolean): void {
    if (this.#closedWith !== undefined || this.#isEnded) return;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#unsent.push(chunk);
      this.#unsentBytes += chunk.length;
    }
    this.#isEnded = isLast;
    this.#owner.schedule(this);
  }

  /**
   * Sends two chunks, one behind the other, where they are not much, nothing waits before them, and all windows have room;
   * they are the caller's again when this returns. Otherwise answers false, and has sent nothing.
   */
  writeNow(first: Uint8Array, second: Uint8Array): boolean {
    const bytes = first.length + second.length;
    if (this.#closedWith !== undefined || this.#isEnded || bytes > mostAtOnce) return false;
    if (this.#unsentBytes > 0 || bytes > this.#sendWindow) return false;
    if (!this.#owner.sendNow(this, first, second)) return false;
    this.#sendWindow -= bytes;
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // A listener that resumes within `data` gets the next bytes when it has done with these.
    if (this.#isResuming) return;
    this.#isResuming = true;
    try {
      while (!this.#isPaused && this.#closedWith === undefined) {
        const bytes = this.#held.shift();
        if (bytes === undefined) return;
        this.#deliver(bytes);
      }
    } finally {
      this.#isResuming = false;
    }
  }

  /** Ends the stream; harmless when it is over. */
  reset(code: number): void {
    if (this.#closedWith !== undefined) return;
    this.#owner.reset(this, code);
    this.close(code);
  }

  /** The stream is over, and the peer knows or cannot be told. */
  close(code: number): void {
    if (this.#closedWith !== undefined) return;
    this.#closedWith = code;
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#held = [];
    this.#owner.forget(this);
    this.#listener.closed(code);
  }

  /** The bytes that may be sent in one frame now, at most `limit`; 0 where nothing can be, which may still be an end. */
  sendable(limit: number): number {
    return Math.max(0, Math.min(this.#unsentBytes, limit, this.#sendWindow, maxPayloadBytes));
  }

  /** Whether it is only the end of the request that is left to send. */
  get isOnlyEndLeft(): boolean {
    return this.#isEnded && !this.#isSent && this.#unsentBytes === 0;
  }

  /** Takes so many bytes of what is unsent, and gives them to `take`; answers whether they end the request. */
  take(bytes: number, take: (chunk: Uint8Array) => void): void {
    this.#unsentBytes -= bytes;
    this.#sendWindow -= bytes;
    for (let left = bytes; left > 0;) {
      const [chunk] = this.#unsent;
      if (chunk === undefined) break;
      const size = Math.min(left, chunk.length - this.#offset);
      const isWhole = this.#offset + size === chunk.length;
      take(this.#offset === 0 && isWhole ? chunk : chunk.subarray(this.#offset, this.#offset + size));
      this.#offset = isWhole ? 0 : this.#offset + size;
      if (isWhole) this.#unsent.shift();
      left -= size;
    }
  }

  /** Whether a frame with the next `bytes` bytes ends the request. */
  endsWith(bytes: number): boolean {
    return this.#isEnded && bytes === this.#unsentBytes;
  }

  /** The end of the request has been sent. */
  sent(): void {
    this.#isSent = true;
  }

  /** All that was written is sent. */
  drained(): void {
    try {
      this.#listener.drain();
    } catch (error) {
      throwLater(error);
    }
  }

  /** The peer takes so many bytes more, or fewer; false where that is more than can be. */
  widen(bytes: number): boolean {
    this.#sendWindow += bytes;
    if (this.#unsentBytes > 0) this.#owner.schedule(this);
    return this.#sendWindow <= maxWindowBytes;
  }

  /** A block of headers has arrived: the head, and later the trailers. */
  receiveHeaders(fields: readonly string[], isLast: boolean): void {
    if (this.#isBodyOver) return this.reset(errorCode.streamClosed);
    if (!this.#hasHead) {
      const status = statusOf(fields);
      if (status === undefined) return this.reset(errorCode.protocolError);
      // The head of an interim answer goes before the head (RFC 9110, section 15.2).
      if (status.startsWith("1") && !isLast) return;
      this.#hasHead = true;
      tell(() => this.#listener.head(fields, isLast));
    } else if (isLast) {
      this.#release();
      if (this.#closedWith === undefined) tell(() => this.#listener.trailers(fields));
    } else {
      this.reset(errorCode.protocolError);
      return;
    }
    if (isLast) this.#finish();
  }

  /** Bytes of the body have arrived; `frameBytes` is what they take of the window, with padding. */
  receiveData(bytes: Uint8Array, frameBytes: number, isLast: boolean): void {
    this.#receiveWindow -= frameBytes;
    if (!this.#hasHead) return this.reset(errorCode.protocolError);
    if (this.#isBodyOver) return this.reset(errorCode.streamClosed);
    if (this.#receiveWindow < 0) return this.reset(errorCode.flowControlError);
    this.#taken += frameBytes - bytes.length;
    if (!this.#isPaused) this.#deliver(bytes);
    // A copy, because a view would keep all that arrived with it, also what was for other streams.
    else if (bytes.length > 0) this.#held.push(Buffer.from(bytes));
    if (!isLast) return;
    this.#isBodyOver = true;
    // A server may end a stream and then reset it, and the reset says more.
    setImmediate(() => this.#endOfBody());
  }

  #endOfBody(): void {
    if (this.#closedWith !== undefined) return;
    this.#release();
    if (this.#closedWith === undefined) tell(() => this.#listener.end());
    this.#finish();
  }

  #deliver(bytes: Uint8Array): void {
    this.#taken += bytes.length;
    try {
      if (bytes.length > 0) this.#listener.data(bytes);
    } catch (error) {
      throwLater(error);
    }
    if (this.#taken * 2 < this.#windowBytes || this.#closedWith !== undefined) return;
    this.#receiveWindow += this.#taken;
    this.#owner.credit(this, this.#taken);
    this.#taken = 0;
  }

  /** All has arrived, so a pause need not hold the stream: at most a window of bytes is left to deliver. */
  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) if (this.#closedWith === undefined) tell(() => this.#listener.data(bytes));
  }

  /** The response is over. The rest of the request has no reader. */
  #finish(): void {
    if (this.#isSent) this.close(errorCode.noError);
    else this.reset(errorCode.noError);
  }
}

function statusOf(fields: readonly string[]): string | undefined {
  for (let at = 0; at + 1 < fields.length; at += 2) if (fields[at] === ":status") return fields[at + 1];
  return undefined;
}
