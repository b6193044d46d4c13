import { copyOf } from "./copy-of.ts";
import { WebSocketError } from "./error.ts";
import type { Limits } from "./limits.ts";
import { applyMask, rotateMask } from "./mask.ts";
import { FIN, MASKED, MAX_CONTROL_BYTES, MAX_HEADER_BYTES, Opcode, RSV1 } from "./opcode.ts";

/**
 * What a parser finds, in order, unmasked. A payload belongs to the sink, unless the parser lends it; a piece is gone when
 * its call returns.
 */
export interface FrameSink {
  /** A whole data message that came as one frame in one piece. */
  message(opcode: number, compressed: boolean, payload: Buffer): void;
  /** A data message begins; its pieces follow. `size` is its length where it is one frame, otherwise 0. */
  start(opcode: number, compressed: boolean, size: number): void;
  /** The next bytes of the message, never empty. Frame boundaries do not show. */
  piece(data: Buffer): void;
  /** The message is complete. */
  end(): void;
  /** A ping, a pong or a close frame, also between the pieces of a message. */
  control(opcode: number, payload: Buffer): void;
  /** The peer broke a rule or a limit. Nothing follows. */
  failed(error: WebSocketError): void;
}

/** How a parser reads. */
export interface FrameParserOptions {
  /** Whether the peer is a client: then every frame must be masked, otherwise none may be (section 5.1). */
  readonly masked: boolean;
  /** Whether RFC 7692 was agreed: then the first frame of a message may have RSV1. */
  readonly compression: boolean;
  /** Whether uncompressed messages may be of any size, because the sink does not keep them. Default false. */
  readonly unlimited?: boolean;
  /** Whether the payload of an uncompressed `message` is gone, as a piece is, when its call returns. Default false. */
  readonly lends?: boolean;
  readonly limits: Limits;
}

/**
 * Takes the bytes of one connection in any pieces and gives its frames to a sink (RFC 6455 section 5), as they come.
 * Strict: the first byte that breaks a rule ends it. Pure: no socket, no timer, nothing asynchronous.
 */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #masked: boolean;
  readonly #compression: boolean;
  readonly #unlimited: boolean;
  readonly #lends: boolean;
  readonly #limits: Limits;

  #fin = false;
  #opcode = 0;
  #compressed = false;
  #mask = 0;
  /** Payload bytes of the current frame that have not come yet. */
  #remaining = 0;

  /** The header's first bytes, when it was cut. */
  #header: Buffer | undefined;
  #headerLength = 0;
  /** The payload of a control frame that was cut. */
  #control: Buffer | undefined;
  #controlLength = 0;

  /** The opcode of the message that has begun and not ended; 0 for none. */
  #message = 0;
  #messageBytes = 0;
  #framingBytes = 0;

  #paused = false;
  #stopped = false;
  #busy = false;
  #held: Buffer | undefined;

  constructor(sink: FrameSink, options: FrameParserOptions) {
    this.#sink = sink;
    this.#masked = options.masked;
    this.#compression = options.compression;
    this.#unlimited = options.unlimited ?? false;
    this.#lends = options.lends ?? false;
    this.#limits = options.limits;
  }

  /** Whether a message has begun and not ended. */
  get insideMessage(): boolean {
    return this.#message !== 0;
  }

  /** Whether bytes wait here for `resume()`. */
  get holding(): boolean {
    return this.#held !== undefined;
  }

  /** Holds what comes, from the next frame or piece on. Also from inside a sink's method. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on, and gives out what was held. Inside a sink's method it only takes back `pause()`. */
  resume(): void {
    this.#paused = false;
    if (!this.#busy && this.#held !== undefined) this.#run(this.#takeHeld());
  }

  /** Ends it: whatever comes from now on is ignored. Also from inside a sink's method. */
  stop(): void {
    this.#stopped = true;
    this.#held = undefined;
  }

  /**
   * Takes the next bytes. They are unmasked in place, and nothing refers to them any more when this returns, so
   * their memory may be read into again.
   */
  push(chunk: Buffer): void {
    if (this.#busy || this.#held !== undefined) {
      this.#held = Buffer.concat(this.#held === undefined ? [chunk] : [this.#held, chunk]);
    } else {
      this.#run(chunk);
    }
  }

  #run(chunk: Buffer): void {
    this.#busy = true;
    try {
      this.#parse(chunk);
      // A sink that made more bytes come while it was called.
      while (this.#held !== undefined && !this.#paused && !this.#stopped) this.#parse(this.#takeHeld());
    } finally {
      this.#busy = false;
    }
  }

  #takeHeld(): Buffer {
    const held = this.#held!;
    this.#held = undefined;
    return held;
  }

  #hold(rest: Buffer): void {
    this.#held = Buffer.concat(this.#held === undefined ? [rest] : [rest, this.#held]);
  }

  #parse(chunk: Buffer): void {
    const { length } = chunk;
    let at = 0;
    while (at < length) {
      if (this.#stopped) return;
      if (this.#paused) {
        this.#hold(chunk.subarray(at));
        return;
      }
      if (this.#remaining > 0) {
        at = this.#payload(chunk, at);
        continue;
      }
      if (this.#headerLength > 0) {
        at = this.#rejoin(chunk, at);
        continue;
      }
      const size = this.#measure(chunk, at, length);
      if (size === 0) return;
      if (size > length - at) {
        at = this.#spill(chunk, at);
        continue;
      }
      if (!this.#open(chunk, at, size)) return;
      at = this.#payload(chunk, at + size);
    }
  }

  /** The header's length, as far as `length` shows it (at least 2, so that a cut one is longer than what is there); 0 after a failure. */
  #measure(bytes: Buffer, at: number, length: number): number {
    if (length - at < 2) return this.#checkFirst(bytes[at]!) ? 2 : 0;
    if (!this.#checkFirst(bytes[at]!)) return 0;
    const second = bytes[at + 1]!;
    if (second >= MASKED !== this.#masked) {
      const rule = this.#masked ? "a client's frame must be masked" : "a server's frame must not be masked";
      return this.#fail("protocol_error", `${rule} (RFC 6455 section 5.1)`);
    }
    const short = second & 0x7f;
    if (short > MAX_CONTROL_BYTES && (bytes[at]! & 0x08) !== 0) {
      return this.#fail("protocol_error", "a control frame has more than 125 bytes");
    }
    return 2 + (short < 126 ? 0 : short === 126 ? 2 : 8) + (this.#masked ? 4 : 0);
  }

  #checkFirst(first: number): boolean {
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) {
      const allowed = (first & 0x70) === RSV1 && this.#compression && (opcode === 1 || opcode === 2);
      if (!allowed) {
        this.#fail("protocol_error", "a reserved bit is set that no extension gives a meaning here");
        return false;
      }
    }
    if (opcode >= Opcode.CLOSE) {
      if (opcode > Opcode.PONG) {
        this.#fail("protocol_error", `opcode ${opcode} is reserved`);
        return false;
      }
      if ((first & FIN) === 0) {
        this.#fail("protocol_error", "a control frame is fragmented");
        return false;
      }
      return true;
    }
    if (opcode > Opcode.BINARY) {
      this.#fail("protocol_error", `opcode ${opcode} is reserved`);
      return false;
    }
    if ((opcode === Opcode.CONTINUATION) !== (this.#message !== 0)) {
      const what =
        opcode === Opcode.CONTINUATION
          ? "a continuation frame has no message to continue"
          : "a message begins before the one before it has ended";
      this.#fail("protocol_error", what);
      return false;
    }
    return true;
  }

  /** Reads a whole header that `#measure` has checked. */
  #open(bytes: Buffer, at: number, size: number): boolean {
    const first = bytes[at]!;
    let length = bytes[at + 1]! & 0x7f;
    if (length === 126) {
      length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
      if (length < 126)
        return this.#fail("protocol_error", "a payload length is not in its shortest form") !== 0;
    } else if (length === 127) {
      const high = bytes.readUInt32BE(at + 2);
      length = high * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
      if (high >= 0x8000_0000) {
        return this.#fail("protocol_error", "the highest bit of a 64-bit payload length is set") !== 0;
      }
      if (length < 0x1_0000) {
        return this.#fail("protocol_error", "a payload length is not in its shortest form") !== 0;
      }
    }
    const opcode = first & 0x0f;
    if (opcode < Opcode.CLOSE) {
      if (opcode !== Opcode.CONTINUATION) {
        this.#compressed = (first & RSV1) !== 0;
        this.#messageBytes = 0;
        this.#framingBytes = 0;
      }
      if (!this.#withinLimits(length, size)) return false;
    }
    this.#opcode = opcode;
    this.#fin = first >= FIN;
    this.#remaining = length;
    if (this.#masked) {
      const end = at + size;
      this.#mask =
        bytes[end - 4]! | (bytes[end - 3]! << 8) | (bytes[end - 2]! << 16) | (bytes[end - 1]! << 24);
    }
    return true;
  }

  #withinLimits(length: number, headerBytes: number): boolean {
    if (this.#unlimited && !this.#compressed) return true;
    const { maxMessageBytes, maxFramingBytes } = this.#limits;
    this.#messageBytes += length;
    this.#framingBytes += headerBytes;
    // What does not compress grows by up to an eighth; the exact limit holds for what it inflates to.
    const limit = this.#compressed ? maxMessageBytes * 1.125 + 64 : maxMessageBytes;
    if (this.#messageBytes > limit) {
      this.#fail("message_too_big", `a message is larger than ${maxMessageBytes} bytes`);
      return false;
    }
    if (this.#framingBytes > maxFramingBytes) {
      this.#fail("framing_limit", `the frame headers of one message take more than ${maxFramingBytes} bytes`);
      return false;
    }
    return true;
  }

  /** Takes what there is of the current frame's payload; answers where the next byte is. */
  #payload(chunk: Buffer, at: number): number {
    const end = Math.min(at + this.#remaining, chunk.length);
    const taken = end - at;
    const whole = taken === this.#remaining;
    if (this.#masked && taken > 0) {
      applyMask(chunk, at, end, this.#mask);
      if (!whole) this.#mask = rotateMask(this.#mask, taken);
    }
    const size = this.#remaining;
    this.#remaining -= taken;
    if (this.#opcode >= Opcode.CLOSE) {
      this.#controlPayload(chunk, at, end, whole);
    } else if (whole && this.#fin && this.#message === 0 && this.#opcode !== Opcode.CONTINUATION) {
      const isLent = this.#lends && !this.#compressed;
      const payload = isLent ? chunk.subarray(at, end) : copyOf(chunk, at, end);
      this.#sink.message(this.#opcode, this.#compressed, payload);
    } else {
      this.#dataPayload(chunk, at, end, size);
    }
    return end;
  }

  /** `size` is how much of the frame's payload was missing. */
  #dataPayload(chunk: Buffer, at: number, end: number, size: number): void {
    if (this.#message === 0) {
      this.#message = this.#opcode;
      this.#sink.start(this.#opcode, this.#compressed, this.#fin ? size : 0);
    }
    if (end > at && !this.#stopped) this.#sink.piece(chunk.subarray(at, end));
    if (end - at === size && this.#fin && !this.#stopped) {
      this.#message = 0;
      this.#sink.end();
    }
  }

  #controlPayload(chunk: Buffer, at: number, end: number, whole: boolean): void {
    if (this.#control === undefined && whole) {
      this.#sink.control(this.#opcode, copyOf(chunk, at, end));
      return;
    }
    if (this.#control === undefined) {
      this.#control = Buffer.allocUnsafe(MAX_CONTROL_BYTES);
      this.#controlLength = 0;
    }
    this.#controlLength += chunk.copy(this.#control, this.#controlLength, at, end);
    if (!whole) return;
    const payload = this.#control.subarray(0, this.#controlLength);
    this.#control = undefined;
    this.#sink.control(this.#opcode, payload);
  }

  /** Keeps the beginning of a header that ends after the chunk. */
  #spill(chunk: Buffer, at: number): number {
    this.#header ??= Buffer.allocUnsafeSlow(MAX_HEADER_BYTES);
    this.#headerLength = chunk.copy(this.#header, 0, at);
    return chunk.length;
  }

  /** Completes a header that was kept. A byte at a time is fine: there are at most 14. */
  #rejoin(chunk: Buffer, at: number): number {
    const header = this.#header!;
    let size = 2;
    let next = at;
    while (next < chunk.length) {
      header[this.#headerLength++] = chunk[next++]!;
      size = this.#measure(header, 0, this.#headerLength);
      if (size === 0) return chunk.length;
      if (size === this.#headerLength) {
        this.#headerLength = 0;
        if (!this.#open(header, 0, size)) return chunk.length;
        if (this.#remaining === 0) this.#payload(chunk, next);
        return next;
      }
    }
    return next;
  }

  #fail(code: "protocol_error" | "message_too_big" | "framing_limit", message: string): 0 {
    this.stop();
    this.#sink.failed(new WebSocketError(code, message));
    return 0;
  }
}
