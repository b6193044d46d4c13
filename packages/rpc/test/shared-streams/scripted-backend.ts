import {
  createStatus,
  noMetadata,
  okStatus,
  type Backend,
  type Call,
  type CallListener,
  type CallStart,
  type Metadata,
  type Status,
} from "../../src/index.ts";

/** A call that a test answers. */
export class ScriptedCall implements Call {
  readonly start: CallStart;
  readonly listener: CallListener;
  readonly requests: Uint8Array[] = [];
  isHalfClosed = false;
  isOver = false;
  isFull = false;
  pauses = 0;

  constructor(start: CallStart, listener: CallListener) {
    this.start = start;
    this.listener = listener;
  }

  /** Sends replies of these texts. */
  reply(...texts: readonly string[]): void {
    for (const text of texts) this.listener.message(Buffer.from(text));
  }

  finish(status: Status = okStatus, trailers: Metadata = noMetadata): void {
    if (this.isOver) return;
    this.isOver = true;
    this.listener.end(status, trailers);
  }

  send(message: Uint8Array): boolean {
    this.requests.push(message);
    return !this.isFull;
  }

  halfClose(): void {
    this.isHalfClosed = true;
  }

  cancel(status: Status = createStatus(1, "cancelled")): void {
    this.finish(status);
  }

  pause(): void {
    this.pauses++;
  }

  resume(): void {}
}

/** A backend whose calls a test answers. */
export class ScriptedBackend implements Backend {
  readonly calls: ScriptedCall[] = [];

  get running(): number {
    return this.calls.filter(({ isOver }) => !isOver).length;
  }

  /** The newest call. */
  get last(): ScriptedCall {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error("no call was opened");
    return call;
  }

  open(start: CallStart, listener: CallListener): Call {
    const call = new ScriptedCall(start, listener);
    this.calls.push(call);
    return call;
  }

  close(): Promise<void> {
    for (const call of this.calls) call.finish(createStatus(14, "closed"));
    return Promise.resolve();
  }
}
