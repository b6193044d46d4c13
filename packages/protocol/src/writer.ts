import { Batch } from "./batch.ts";
import type { Wire } from "./multiplex.ts";
import type { Stream } from "./stream.ts";

/** Shared by all connections, because it is filled and sent within one function. */
const batch: Batch = /* @__PURE__ */ new Batch();

/**
 * Decides what leaves next: control frames first, then one chunk of each call in turn, and only while the WebSocket has
 * room. PROTOCOL.md, "Scheduling".
 */
export class Writer {
  readonly #wire: Wire;
  readonly #wanted: () => void;
  /** Frames that leave before all DATA. */
  #control: Uint8Array[] = [];
  /** The streams that take turns. */
  #first: Stream | undefined;
  #last: Stream | undefined;
  #settling: Stream[] = [];
  #isBlocked = false;
  #isStopped = false;

  /** `wanted` is told, perhaps often, that `write` should be called. */
  constructor(wire: Wire, wanted: () => void) {
    this.#wire = wire;
    this.#wanted = wanted;
  }

  /** Whether no control frame waits. */
  get isIdle(): boolean {
    return this.#control.length === 0;
  }

  /** Sends a frame before all DATA. */
  control(frame: Uint8Array): void {
    if (this.#isStopped) return;
    this.#control.push(frame);
    this.#wanted();
  }

  /** Gives a stream that is open its turn to `write`. */
  ready(stream: Stream): void {
    if (stream.isReady || stream.id === 0 || this.#isStopped) return;
    stream.isReady = true;
    if (this.#last === undefined) this.#first = stream;
    else this.#last.next = stream;
    this.#last = stream;
    this.#wanted();
  }

  /** Calls `settle` of a stream when the writing is done. */
  later(stream: Stream): void {
    this.#settling.push(stream);
  }

  /** The WebSocket has room again. */
  unblock(): void {
    this.#isBlocked = false;
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#isStopped = true;
    this.#control = [];
    this.#first = this.#last = undefined;
  }

  /** Writes what can be written, and tells the streams of it. */
  write(): void {
    let sent = 0;
    while (!this.#isBlocked) {
      const frame = this.#control[sent];
      const stream = this.#first;
      if (frame !== undefined) {
        if (batch.fits(frame.length)) {
          batch.add(frame);
          sent++;
        } else this.#send();
      } else if (stream === undefined) {
        break;
      } else {
        const turn = stream.write(batch);
        if (turn === "full") this.#send();
        else this.#endTurn(stream, turn === "again");
      }
    }
    if (sent > 0) this.#control.splice(0, sent);
    if (!batch.isEmpty) this.#send();
    const settling = this.#settling;
    if (settling.length === 0) return;
    this.#settling = [];
    for (const stream of settling) stream.settle();
  }

  #endTurn(stream: Stream, isAgain: boolean): void {
    this.#first = stream.next;
    if (this.#first === undefined) this.#last = undefined;
    stream.next = undefined;
    stream.isReady = false;
    if (isAgain) this.ready(stream);
  }

  #send(): void {
    this.#isBlocked = !this.#wire.send(batch.take());
  }
}
