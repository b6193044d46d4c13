import { randomFillSync } from "node:crypto";
import type { Socket } from "node:net";
import { openConnection } from "./connection.ts";

/** How a client of a gateway connects. */
export interface BidiSocketOptions {
  readonly port: number;
  /** Path and query. */
  readonly target?: string;
  /** `Sec-WebSocket-Protocol`. */
  readonly protocol?: string;
  /** Gets the payload of a message, which is overwritten after the call returns. */
  readonly onMessage: (payload: Buffer) => void;
  readonly onError: (error: Error) => void;
}

/** The opcodes of RFC 6455 section 5.2 that matter here. */
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What a message is sent as. */
export type MessageKind = "text" | "binary";

/** A frame ready to be sent, masked; may be sent again and again. */
export function maskedFrame(payload: Uint8Array, kind: MessageKind): Buffer {
  return encodeMasked(opcodes[kind], payload);
}

/**
 * The client's end of a WebSocket, as little of it as a load needs: without fragments, which no gateway here sends.
 * What is sent while bytes are handled leaves in one write.
 */
export class BidiSocket {
  readonly #onMessage: (payload: Buffer) => void;
  #socket: Socket | undefined;
  /** The beginning of a frame whose rest has not come. */
  #held: Buffer | undefined;

  private constructor(onMessage: (payload: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Connects. Rejects when the handshake is refused. */
  static async open({ onMessage, onError, ...where }: BidiSocketOptions): Promise<BidiSocket> {
    const opened = new BidiSocket(onMessage);
    opened.#socket = await openConnection({
      ...where,
      upgrade: true,
      onBytes: (bytes) => {
        try {
          opened.#read(bytes);
        } catch (error) {
          onError(error as Error);
        }
      },
      onError,
    });
    return opened;
  }

  /** Sends a whole frame of {@link maskedFrame}. */
  send(frame: Buffer): void {
    const socket = this.#socket;
    if (socket === undefined) throw new Error("something is sent before the connection is open");
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    socket.write(frame);
  }

  #read(bytes: Buffer): void {
    const all = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = undefined;
    for (let at = 0; at < all.length;) {
      const payload = payloadAt(all, at);
      if (payload === undefined || payload.end > all.length) {
        this.#held = Buffer.from(all.subarray(at));
        return;
      }
      this.#frame(all[at] ?? 0, all.subarray(payload.start, payload.end));
      at = payload.end;
    }
  }

  #frame(first: number, payload: Buffer): void {
    const opcode = first & 0x0f;
    if ((first & 0xf0) !== 0x80 || opcode === opcodes.continuation)
      throw new Error("a fragment, or an extension that was not offered");
    if (opcode === opcodes.ping) this.send(encodeMasked(opcodes.pong, payload));
    else if (opcode === opcodes.close)
      throw new Error(`the server closed the WebSocket: ${payload.toString("latin1")}`);
    else if (opcode !== opcodes.pong) this.#onMessage(payload);
  }
}

/** Where the payload of an unmasked frame is; undefined where its header has not come. */
function payloadAt(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  if (at + 2 > bytes.length) return undefined;
  const short = bytes[at + 1] ?? 0;
  const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
  if (start > bytes.length) return undefined;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
  return { start, end: start + length };
}

/** Masking keys, asked for many at once: one at a time costs the load more than all the rest of a small frame. */
const keys = Buffer.alloc(1 << 14);
let nextKeyAt = keys.length;

function nextKey(): Buffer {
  if (nextKeyAt === keys.length) {
    randomFillSync(keys);
    nextKeyAt = 0;
  }
  nextKeyAt += 4;
  return keys.subarray(nextKeyAt - 4, nextKeyAt);
}

/** RFC 6455 section 5.2 and 5.3. The payload is put at a multiple of four bytes, so that it is masked by words. */
function encodeMasked(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 0x10000 ? 2 : 8;
  const start = 16;
  const bytes = Buffer.allocUnsafeSlow(start + Math.ceil(length / 4) * 4);
  const from = start - 4 - lengthBytes - 2;
  bytes[from] = 0x80 | opcode;
  bytes[from + 1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) bytes.writeUInt16BE(length, from + 2);
  else if (lengthBytes === 8) bytes.writeBigUInt64BE(BigInt(length), from + 2);
  bytes.set(nextKey(), start - 4);
  bytes.set(payload, start);
  const mask = bytes.readInt32LE(start - 4);
  const words = new Int32Array(bytes.buffer, start);
  for (let index = 0; index < words.length; index++) words[index]! ^= mask;
  return bytes.subarray(from, start + length);
}
