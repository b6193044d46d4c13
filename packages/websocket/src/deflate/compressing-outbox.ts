import type { MessageOutbox } from "../message-outbox.ts";
import { FIN, Opcode, RSV1 } from "../opcode.ts";
import type { Outbox } from "../outbox.ts";
import type { PreparedMessage } from "../prepared-message.ts";
import { isLent } from "../shared-reads.ts";
import { Deflater } from "./deflater.ts";
import type { AgreedCompression } from "./negotiation.ts";

/** What is smaller is copied when it has to wait, so that the caller may use its memory again. */
const BY_REFERENCE_BYTES = 32 * 1024;

const CLOSE_FRAME = FIN | Opcode.CLOSE;

interface Waiting {
  /** The frame's first byte, without compression. */
  readonly first: number;
  readonly data: Uint8Array;
}

/** Compresses what is worth it on the way to an outbox, and keeps the order while a thread is at work. */
export class CompressingOutbox implements MessageOutbox {
  readonly #outbox: Outbox;
  readonly #agreed: AgreedCompression;
  readonly #masked: boolean;
  readonly #idle: () => void;
  readonly #deflater: Deflater;
  /** The first of them is being compressed. */
  #waiting: Waiting[] = [];
  #dropped = false;
  /** Bytes of messages that wait, before compression. */
  #pending = 0;

  /** `idle` is called when nothing waits any more. */
  constructor(outbox: Outbox, agreed: AgreedCompression, masked: boolean, idle: () => void) {
    this.#outbox = outbox;
    this.#agreed = agreed;
    this.#masked = masked;
    this.#idle = idle;
    this.#deflater = new Deflater(agreed);
  }

  get bufferedAmount(): number {
    return this.#pending + this.#outbox.bufferedAmount;
  }

  add(first: number, data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    const atOnce = this.#waiting.length === 0;
    if (atOnce && this.#sendNow(first, bytes)) return;
    const owned = typeof data === "string" || (bytes.length >= BY_REFERENCE_BYTES && !isLent(bytes));
    const kept = owned ? bytes : Buffer.from(bytes);
    this.#waiting.push({ first, data: kept });
    this.#pending += kept.length;
    if (atOnce) this.#startJob(kept);
  }

  addPrepared(message: PreparedMessage): void {
    const first = FIN | (message.isBinary ? Opcode.BINARY : Opcode.TEXT);
    const run =
      this.#waiting.length > 0 || message.payload.length < this.#agreed.threshold
        ? undefined
        : message.compressed(this.#agreed);
    if (run === undefined || message.payload.length === 0) {
      this.add(first, message.payload);
      return;
    }
    if (this.#masked) this.#outbox.frame(first | RSV1, run.payload);
    else this.#outbox.prepared(run.run);
    // The peer has now seen what this side's state has not: nothing before it can be referred to.
    this.#deflater.reset();
  }

  drop(): boolean {
    const hadClose = this.#waiting.at(-1)?.first === CLOSE_FRAME;
    this.#dropped = true;
    this.#waiting = [];
    this.#pending = 0;
    return hadClose;
  }

  close(): void {
    this.drop();
    this.#outbox.close();
    this.#deflater.close();
  }

  #sendNow(first: number, bytes: Uint8Array): boolean {
    const whole = first === (FIN | Opcode.TEXT) || first === (FIN | Opcode.BINARY);
    if (!whole || bytes.length < this.#agreed.threshold || bytes.length === 0) {
      this.#outbox.frame(first, bytes);
      return true;
    }
    const compressed = this.#deflater.deflateSync(bytes);
    if (compressed === undefined) return false;
    this.#outbox.frame(first | RSV1, compressed);
    return true;
  }

  #startJob(data: Uint8Array): void {
    this.#deflater.deflate(data, (compressed) => {
      if (this.#dropped) return;
      const { first } = this.#waiting.shift()!;
      this.#pending -= data.length;
      if (compressed === undefined) this.#outbox.frame(first, data);
      else this.#outbox.frame(first | RSV1, compressed, true);
      this.#sendWaiting();
    });
  }

  #sendWaiting(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined) break;
      if (!this.#sendNow(next.first, next.data)) {
        this.#startJob(next.data);
        return;
      }
      this.#waiting.shift();
      this.#pending -= next.data.length;
    }
    this.#idle();
  }
}
