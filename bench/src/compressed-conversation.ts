import { randomBytes } from "node:crypto";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import type { Conversation } from "./conversation.ts";
import { FrameCounter } from "./frame-counter.ts";
import { encodeFrame } from "./frame.ts";

/** What RFC 7692 section 7.2 takes off the end of every message. */
const tail = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** As many replies are inflated and compared; the rest are only counted, so that the server stays the busy side. */
const verified = 20;

const windowBytes = 32_768;

/** What browsers offer. */
export const compressionOffer = "permessage-deflate; client_max_window_bits";

/** A message, and the frame that carries it compressed. */
export interface CompressedMessage {
  readonly text: Buffer;
  readonly request: Buffer;
}

/** Compresses every text by itself: no message refers to the one before it. */
export function createCompressedMessages(texts: readonly Buffer[]): CompressedMessage[] {
  return texts.map((text) => {
    const deflated = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
    const request = encodeFrame(deflated.subarray(0, -tail.length), {
      mask: randomBytes(4),
      compressed: true,
    });
    return { text, request };
  });
}

/** Sends compressed messages in turn, and wants each back, compressed in whatever way the server likes. */
export class CompressedConversation implements Conversation {
  readonly messages = 1;
  readonly #script: readonly CompressedMessage[];
  readonly #counter = new FrameCounter();
  #turn = 0;
  #history = Buffer.alloc(0);
  #reply = Buffer.alloc(0);

  constructor(script: readonly CompressedMessage[]) {
    this.#script = script;
  }

  nextRequest(): Buffer {
    return this.#current.request;
  }

  receive(bytes: Buffer): boolean {
    if (this.#turn < verified) this.#reply = Buffer.concat([this.#reply, bytes]);
    const frames = this.#counter.push(bytes);
    if (frames === 0) return false;
    if (frames > 1 || !this.#counter.betweenFrames) throw new Error("more came back than was sent");
    if (this.#turn < verified) this.#verify();
    this.#turn++;
    return true;
  }

  get #current(): CompressedMessage {
    const message = this.#script[this.#turn % this.#script.length];
    if (message === undefined) throw new RangeError("a conversation needs at least one message");
    return message;
  }

  #verify(): void {
    const { text } = this.#current;
    const headerBytes = (this.#reply[1] ?? 0) === 126 ? 4 : 2;
    if (this.#reply[0] !== 0xc2) throw new Error("the reply is not one compressed binary message");
    const inflated = inflateRawSync(Buffer.concat([this.#reply.subarray(headerBytes), tail]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(this.#history.length > 0 && { dictionary: this.#history }),
    });
    if (!inflated.equals(text)) throw new Error("another message came back than was sent");
    this.#history = Buffer.concat([this.#history, inflated]).subarray(-windowBytes);
    this.#reply = Buffer.alloc(0);
  }
}
