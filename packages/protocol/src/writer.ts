import { Batch } from "./batch.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import type { Wire } from "./multiplex.ts";
import type { Stream } from "./stream.ts";

/** What a frame costs beside its bytes, about, while it waits. */
const FRAME_COST = 64;

/** Batches that are empty. */
const spare: Batch[] = [];
/** So many batches may wait for the next `write` of their connections; the memory of them all is 1 MiB. */
const MOST_WAITING = 64;
let waiting = 0;

/**
 * Decides what leaves next: control frames first, then one chunk of each call in turn, and only while the WebSocket has
 * room. PROTOCOL.md, "Scheduling".
 */
export class Writer {
  readonly #wire: Wire;
  readonly #wanted: () => void;
  /** Frames that leave before all DATA. */
  #control: Uint8Array[] = [];
  /** Bytes of the control frames, and what keeping them costs. */
  #controlBytes = 0;
  /** The streams that take turns. */
  #first: Stream | undefined;
  #last: Stream | undefined;
  #settling: Stream[] = [];
  /** What leaves first with the next `write`; only while the WebSocket has room. */
  #batch: Batch | undefined;
  /** Counts the calls of `write`. */
  turn = 0;
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

  /** Bytes of the control frames that wait, each with what it takes beside them. */
  get controlBytes(): number {
    return this.#controlBytes;
  }

  /** Sends a frame before all DATA. */
  control(frame: Uint8Array): void {
    if (this.#isStopped) return;
    this.#control.push(frame);
    this.#controlBytes += frame.length + FRAME_COST;
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

  /** Takes a message of one chunk of a stream that has the credit, where none waits for its turn; false where it does not. */
  sendNow(stream: Stream, message: Uint8Array): boolean {
    if (this.#first !== undefined || this.#isBlocked || this.#isStopped || stream.id === 0) return false;
    let batch = this.#batch;
    if (batch === undefined) {
      if (waiting === MOST_WAITING) return false;
      batch = spare.pop() ?? new Batch();
      this.#batch = batch;
      waiting++;
    }
    this.#addControl(batch);
    if (!this.#isBlocked && !batch.fits(FRAME_HEADER_BYTES + message.length)) this.#send(batch);
    const isTaken = !this.#isBlocked;
    if (isTaken) {
      batch.addChunk(stream.id, message, 0, message.length);
      // What is full has nothing to wait for.
      if (!batch.fits(FRAME_HEADER_BYTES + 1)) this.#send(batch);
      this.#wanted();
    }
    if (batch.isEmpty) this.#endWaiting();
    return isTaken;
  }

  /** Takes a stream that has ended out of the turns. */
  remove(stream: Stream): void {
    if (!stream.isReady || this.#isStopped) return;
    let before: Stream | undefined;
    for (let each = this.#first; each !== stream && each !== undefined; each = each.next) before = each;
    if (before === undefined) this.#first = stream.next;
    else before.next = stream.next;
    if (this.#last === stream) this.#last = before;
    stream.next = undefined;
    stream.isReady = false;
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
    this.#controlBytes = 0;
    this.#first = this.#last = undefined;
    this.#batch?.take();
    this.#endWaiting();
  }

  /** Writes what can be written, and tells the streams of it. */
  write(): void {
    this.turn++;
    const batch = this.#takeWaiting() ?? spare.pop() ?? new Batch();
    this.#addControl(batch);
    while (!this.#isBlocked) {
      const stream = this.#first;
      if (stream === undefined) break;
      const turn = stream.write(batch);
      if (turn === "full") this.#send(batch);
      else this.#endTurn(stream, turn === "again");
    }
    if (!batch.isEmpty) this.#send(batch);
    spare.push(batch);
    // Who is told may throw: the others are told with the next `write`.
    while (this.#settling.length > 0) this.#settling.shift()?.settle();
  }

  #endTurn(stream: Stream, isAgain: boolean): void {
    this.#first = stream.next;
    if (this.#first === undefined) this.#last = undefined;
    stream.next = undefined;
    stream.isReady = false;
    if (isAgain) this.ready(stream);
  }

  #addControl(batch: Batch): void {
    const control = this.#control;
    let sent = 0;
    while (sent < control.length && !this.#isBlocked) {
      const frame = control[sent] as Uint8Array;
      if (batch.fits(frame.length)) {
        batch.add(frame);
        this.#controlBytes -= frame.length + FRAME_COST;
        sent++;
      } else this.#send(batch);
    }
    if (sent > 0) control.splice(0, sent);
  }

  /** The batch that waited is empty. */
  #endWaiting(): void {
    const batch = this.#takeWaiting();
    if (batch !== undefined) spare.push(batch);
  }

  /** The batch that waits is the caller's alone from now on. */
  #takeWaiting(): Batch | undefined {
    const batch = this.#batch;
    if (batch === undefined) return undefined;
    this.#batch = undefined;
    waiting--;
    return batch;
  }

  #send(batch: Batch): void {
    this.#isBlocked = !this.#wire.send(batch.take());
  }
}
