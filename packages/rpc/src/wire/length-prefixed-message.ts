import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import { giveMemory, takeMemory } from "./message-memory.ts";

/**
 * The framing of messages in gRPC: one byte that says whether the message is compressed, four bytes of length
 * (unsigned, big-endian), then the message. gRPC-Web and the streams of Connect have it too.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message
 */
export const prefixBytes = 5;

/** From this size on a message is passed on as it is: a copy would cost more than a second chunk. */
const largeMessageBytes = 16 * 1024;

/** How many bytes a message takes on the wire. */
export function framedLength(message: Uint8Array): number {
  return prefixBytes + message.length;
}

/** Writes the prefix of a message to the beginning of `bytes`; `flag` is its first byte. */
export function writePrefix(bytes: Uint8Array, { length }: Uint8Array, flag: number): void {
  bytes[0] = flag;
  bytes[1] = length >>> 24;
  bytes[2] = length >>> 16;
  bytes[3] = length >>> 8;
  bytes[4] = length;
}

/** The first byte of a message that is not compressed. */
export const plainFlag = 0;

/** The first byte of a message that is compressed. */
export const compressedFlag = 1;

/**
 * Frames messages into as few chunks as is cheap: small ones are joined, large ones are not copied.
 * The chunks, one after another, are the bytes for the wire. `flags` has the first byte of each message;
 * without it all are 0.
 */
export function frameMessages(messages: readonly Uint8Array[], flags?: readonly number[]): Uint8Array[] {
  const [only] = messages;
  if (messages.length === 1 && only !== undefined && only.length < largeMessageBytes) {
    const framed = Buffer.allocUnsafe(framedLength(only));
    framed[0] = flags?.[0] ?? plainFlag;
    framed.writeUInt32BE(only.length, 1);
    framed.set(only, prefixBytes);
    return [framed];
  }
  const chunks: Uint8Array[] = [];
  let joinedFrom = 0;
  let joinedBytes = 0;
  const join = (to: number): void => {
    const joined = Buffer.allocUnsafe(joinedBytes);
    let at = 0;
    for (let index = joinedFrom; index < to; index++) {
      const message = messages[index] as Uint8Array;
      joined[at] = flags?.[index] ?? plainFlag;
      joined.writeUInt32BE(message.length, at + 1);
      at += prefixBytes;
      if (message.length >= largeMessageBytes) break;
      joined.set(message, at);
      at += message.length;
    }
    chunks.push(joined);
    joinedBytes = 0;
    joinedFrom = to;
  };
  for (const [index, message] of messages.entries()) {
    if (message.length < largeMessageBytes) {
      joinedBytes += framedLength(message);
    } else {
      joinedBytes += prefixBytes;
      join(index + 1);
      chunks.push(message);
    }
  }
  if (joinedBytes > 0) join(messages.length);
  return chunks;
}

/** A message whose length is known and that has not wholly arrived. */
interface Partial {
  readonly length: number;
  readonly isCompressed: boolean;
  /** Grows with what arrives: a peer must not make us allocate by announcing a length alone. */
  bytes: Uint8Array;
  have: number;
}

/** What a parser has to know of the body that it cuts. */
export interface Framing {
  /** Whose body it is, for the messages of errors. */
  readonly subject: "request" | "response";
  /** Whether messages may be compressed, because an encoding was agreed. */
  readonly mayCompress: boolean;
  /** The largest message in bytes as it stands on the wire, without its prefix. */
  readonly maxBytes: number;
  /**
   * `kept`: messages are for keeping, and so may be views of the chunks. `reused`: messages are for keeping, and the
   * memory of the chunks is not, so that they are copies. `lent`: a message is gone when `onMessage` returns. Default:
   * `kept`.
   */
  readonly memory?: "kept" | "reused" | "lent";
}

/** Up to this length a message gets its memory at once. */
const firstAllocationBytes = 64 * 1024;

/**
 * Cuts a stream of bytes into messages, wherever the chunks are split. It takes no more memory for a message
 * than twice what has arrived, and refuses one over the limit as soon as its length is known.
 */
export class MessageParser {
  readonly #framing: Framing;
  readonly #onMessage: (message: Uint8Array, isCompressed: boolean) => void;
  /** The part of a prefix with which a chunk ended; made when that happens first. */
  #prefix: Uint8Array | undefined;
  #prefixHave = 0;
  #partial: Partial | undefined;

  constructor(framing: Framing, onMessage: (message: Uint8Array, isCompressed: boolean) => void) {
    this.#framing = framing;
    this.#onMessage = onMessage;
  }

  /**
   * Takes the next bytes. Messages that lie whole in `chunk` are views of it, or copies where only that is used again.
   * Answers a status when the bytes break the framing; nothing may be pushed after that.
   */
  push(chunk: Uint8Array): Status | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#partial !== undefined) {
        at += this.#continue(this.#partial, chunk, at);
        continue;
      }
      let prefix = chunk;
      let prefixAt = at;
      if (this.#prefixHave > 0 || chunk.length - at < prefixBytes) {
        this.#prefix ??= new Uint8Array(prefixBytes);
        const part = chunk.subarray(at, at + prefixBytes - this.#prefixHave);
        this.#prefix.set(part, this.#prefixHave);
        this.#prefixHave += part.length;
        if (this.#prefixHave < prefixBytes) return undefined;
        this.#prefixHave = 0;
        at += part.length;
        prefix = this.#prefix;
        prefixAt = 0;
      } else {
        at += prefixBytes;
      }
      const flag = prefix[prefixAt];
      const length = lengthAt(prefix, prefixAt + 1);
      const { mayCompress, maxBytes } = this.#framing;
      const isCompressed = flag === compressedFlag && mayCompress;
      if ((flag !== plainFlag && !isCompressed) || length > maxBytes) return this.#refuse(flag, length);
      if (length <= chunk.length - at) {
        // No `subarray`, which makes a Buffer of a Buffer: that takes twice as long.
        const view = new Uint8Array(chunk.buffer, chunk.byteOffset + at, length);
        this.#onMessage(this.#framing.memory === "reused" ? Buffer.from(view) : view, isCompressed);
        at += length;
      } else {
        const size = Math.min(length, firstAllocationBytes);
        const bytes = this.#isLent ? takeMemory(size) : Buffer.allocUnsafeSlow(size);
        this.#partial = { length, isCompressed, bytes, have: 0 };
      }
    }
    return undefined;
  }

  /** Says that no bytes follow. Answers a status when a message has begun and not ended. */
  finish(): Status | undefined {
    if (this.#partial !== undefined) {
      const { have, length } = this.#partial;
      return this.#malformed(`ended inside a message, after ${have} of ${length} bytes`);
    }
    return this.#prefixHave > 0 ? this.#malformed("ended inside the length of a message") : undefined;
  }

  #continue(partial: Partial, chunk: Uint8Array, from: number): number {
    const missing = partial.length - partial.have;
    const part = from === 0 && chunk.length <= missing ? chunk : chunk.subarray(from, from + missing);
    const have = partial.have + part.length;
    if (have > partial.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(partial.length, 2 * have));
      grown.set(partial.bytes.subarray(0, partial.have));
      if (this.#isLent) giveMemory(partial.bytes);
      partial.bytes = grown;
    }
    partial.bytes.set(part, partial.have);
    partial.have = have;
    if (have === partial.length) {
      this.#partial = undefined;
      const { bytes, isCompressed } = partial;
      this.#onMessage(bytes.length === have ? bytes : bytes.subarray(0, have), isCompressed);
      if (this.#isLent) giveMemory(bytes);
    }
    return part.length;
  }

  get #isLent(): boolean {
    return this.#framing.memory === "lent";
  }

  #refuse(flag: number | undefined, length: number): Status {
    const { subject, maxBytes } = this.#framing;
    if (flag === compressedFlag && length <= maxBytes) {
      const what = `the ${subject} has a compressed message, but no compression was agreed`;
      return createStatus(Code.INTERNAL, what);
    }
    if (flag !== plainFlag && flag !== compressedFlag) {
      return this.#malformed(`is not length-prefixed messages: one begins with the byte ${flag}`);
    }
    const option = subject === "request" ? "--max-message" : "--max-reply";
    return createStatus(
      Code.RESOURCE_EXHAUSTED,
      `the ${subject} has a message of ${length} bytes, more than the maximum of ${maxBytes} (${option})`,
    );
  }

  /** A client is told that its argument is wrong; a backend that does this is broken. */
  #malformed(what: string): Status {
    const { subject } = this.#framing;
    return createStatus(
      subject === "request" ? Code.INVALID_ARGUMENT : Code.INTERNAL,
      `the ${subject} ${what}`,
    );
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const low = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return high * 0x10000 + low;
}
