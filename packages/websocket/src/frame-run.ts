/** Runs that have a continuation, to be forgotten at the end of the tick. */
let continued: FrameRun[] = [];

function forgetContinuations(): void {
  const runs = continued;
  continued = [];
  for (const run of runs) run.forget();
}

/**
 * Prepared frames that follow each other. Connections which are sent the same frames in the same order within one
 * tick meet in the same run, so its bytes are joined once for all of them.
 */
export class FrameRun {
  /** Bytes of all its frames. */
  readonly length: number;
  readonly #before: FrameRun | undefined;
  readonly #frame: Buffer;
  #joined: Buffer | undefined;
  #next: FrameRun | undefined;

  /** The run that adds a frame behind others. */
  constructor(before: FrameRun | undefined, frame: Buffer) {
    this.length = (before?.length ?? 0) + frame.length;
    this.#before = before;
    this.#frame = frame;
  }

  /** This run and one more frame, which must be a run by itself. */
  with(single: FrameRun): FrameRun {
    const next = this.#next;
    if (next !== undefined && next.#frame === single.#frame) return next;
    if (next === undefined && continued.push(this) === 1) process.nextTick(forgetContinuations);
    this.#next = new FrameRun(this, single.#frame);
    return this.#next;
  }

  /** All bytes, joined once. */
  get bytes(): Buffer {
    if (this.#before === undefined) return this.#frame;
    this.#joined ??= this.#join();
    return this.#joined;
  }

  /** Drops the continuation, which a long-lived message would otherwise keep. */
  forget(): void {
    this.#next = undefined;
  }

  #join(): Buffer {
    const joined = Buffer.allocUnsafeSlow(this.length);
    let end = this.length;
    // eslint-disable-next-line typescript/no-this-alias -- walks back through the runs, of which this is the last
    for (let run: FrameRun | undefined = this; run !== undefined; run = run.#before) {
      end -= run.#frame.length;
      run.#frame.copy(joined, end);
    }
    return joined;
  }
}
