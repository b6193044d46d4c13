import { writeHeader } from "./frame-header.ts";
import { FrameRun } from "./frame-run.ts";
import { FIN, MAX_HEADER_BYTES, Opcode } from "./opcode.ts";

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

  /**
   * A string becomes a text message, bytes a binary one, or with `text` the text whose UTF-8 they are. Bytes are
   * copied, so they may change after.
   */
  constructor(data: string | Uint8Array, text: boolean = typeof data === "string") {
    this.isBinary = !text;
    const length = typeof data === "string" ? Buffer.byteLength(data) : data.length;
    const frame = Buffer.allocUnsafeSlow(MAX_HEADER_BYTES + length);
    const from = writeHeader(frame, 0, FIN | (text ? Opcode.TEXT : Opcode.BINARY), false, length);
    if (typeof data === "string") frame.write(data, from);
    else frame.set(data, from);
    this.payload = frame.subarray(from, from + length);
    this.run = new FrameRun(undefined, frame.subarray(0, from + length));
  }
}
