import { deflateAlone, keyOf } from "./deflate/deflater.ts";
import type { AgreedCompression } from "./deflate/negotiation.ts";
import { writeHeader } from "./frame-header.ts";
import { FrameRun } from "./frame-run.ts";
import { FIN, MAX_HEADER_BYTES, Opcode, RSV1 } from "./opcode.ts";

/**
 * A message that is encoded once for any number of connections. `connection.send()` takes it; what is sent to many
 * connections within one tick is also joined once for all of them.
 */
export class PreparedMessage {
  /** Whether it is a binary message, not a text. */
  readonly isBinary: boolean;
  /** What it says; a text as UTF-8. */
  readonly payload: Buffer;
  /** The frame as a server sends it. */
  readonly run: FrameRun;
  #compressed: Map<string, CompressedMessage> | undefined;

  /**
   * A string becomes a text message, bytes a binary one, or with `text` the text whose UTF-8 they are. Bytes are
   * copied, so they may change after.
   */
  constructor(data: string | Uint8Array, text: boolean = typeof data === "string") {
    this.isBinary = !text;
    this.payload = typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
    this.run = encode(FIN | this.#opcode, this.payload);
  }

  get #opcode(): number {
    return this.isBinary ? Opcode.BINARY : Opcode.TEXT;
  }

  /** The message compressed with these parameters, once for all connections that agreed to them. */
  compressed(agreed: AgreedCompression): CompressedMessage | undefined {
    const key = keyOf(agreed);
    this.#compressed ??= new Map();
    let known = this.#compressed.get(key);
    if (known === undefined) {
      const deflated = deflateAlone(this.payload, agreed);
      if (deflated === undefined) return undefined;
      const payload = Buffer.from(deflated);
      known = { payload, run: encode(FIN | RSV1 | this.#opcode, payload) };
      this.#compressed.set(key, known);
    }
    return known;
  }
}

/** A prepared message after compression. */
interface CompressedMessage {
  readonly payload: Buffer;
  readonly run: FrameRun;
}

function encode(first: number, payload: Buffer): FrameRun {
  const frame = Buffer.allocUnsafeSlow(MAX_HEADER_BYTES + payload.length);
  const from = writeHeader(frame, 0, first, false, payload.length);
  payload.copy(frame, from);
  return new FrameRun(undefined, frame.subarray(0, from + payload.length));
}
