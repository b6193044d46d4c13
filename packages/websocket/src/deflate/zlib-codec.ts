import * as zlib from "node:zlib";

const { Z_SYNC_FLUSH } = zlib.constants;

/** zlib's own state: the public stream around it only works through the thread pool. */
interface Handle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
}

/** What Node's zlib streams carry; not documented, so it is looked at before it is used. */
interface Internals {
  readonly _handle?: Handle | null;
  /** After a write: the room left in the output, and the input left. */
  readonly _writeState?: Uint32Array;
}

/** What synchronous calls write into, one after the other. */
const output = Buffer.allocUnsafeSlow(64 * 1024);

/** Takes output while it lasts: it is valid during the call only. False stops. */
export type OutputSink = (part: Buffer) => boolean;

/** How a synchronous write ended. */
export type SyncResult = "done" | "stopped" | "stream-end" | "failed";

/** One zlib state, used through its stream on a thread, or directly at once. Never both at the same time. */
export class ZlibCodec {
  readonly #stream: zlib.DeflateRaw | zlib.InflateRaw;
  readonly #internals: Internals;
  /** Bytes of the last synchronous write's input that were not taken. */
  inputLeft = 0;

  constructor(stream: zlib.DeflateRaw | zlib.InflateRaw) {
    this.#stream = stream;
    this.#internals = stream as unknown as Internals;
    // An error is read from the stream; unheard, its event would end the process.
    stream.on("error", () => {});
  }

  /** Whether the stream has failed or come to its end: then it is of no further use. */
  get finished(): boolean {
    return this.#stream.destroyed || this.#stream.readableEnded;
  }

  /** Whether `writeSync()` can be used. */
  get synchronous(): boolean {
    const { _handle, _writeState } = this.#internals;
    return typeof _handle?.writeSync === "function" && _writeState instanceof Uint32Array;
  }

  /** Puts all input through at once, with a flush behind it. */
  writeSync(input: Uint8Array, sink: OutputSink): SyncResult {
    const { _handle: handle, _writeState: state } = this.#internals;
    if (!handle || !state) return "failed";
    let left = input.length;
    for (;;) {
      handle.writeSync(Z_SYNC_FLUSH, input, input.length - left, left, output, 0, output.length);
      if (this.#stream.errored !== null) return "failed";
      const room = state[0]!;
      left = state[1]!;
      this.inputLeft = left;
      if (room < output.length && !sink(output.subarray(0, output.length - room))) return "stopped";
      if (room > 0) return left > 0 ? "stream-end" : "done";
    }
  }

  /**
   * Puts input through on a thread, with a flush behind it. The sink is called as output comes; after it has answered
   * false no more is done. `done` tells whether all went well.
   */
  write(inputs: readonly Uint8Array[], sink: OutputSink, done: (ok: boolean) => void): void {
    const stream = this.#stream;
    let ended = false;
    const end = (ok: boolean): void => {
      if (ended) return;
      ended = true;
      stream.off("data", onData);
      stream.off("error", onError);
      stream.off("end", onEnd);
      stream.off("close", onError);
      done(ok);
    };
    const onData = (part: Buffer): void => {
      if (!ended && !sink(part)) end(false);
    };
    const onError = (): void => end(false);
    const onEnd = (): void => end(true);
    stream.on("data", onData);
    stream.on("error", onError);
    stream.on("end", onEnd);
    stream.on("close", onError);
    for (const input of inputs) stream.write(input);
    stream.flush(Z_SYNC_FLUSH, () => end(stream.errored === null));
  }

  /** Forgets what went before. */
  reset(): void {
    if (!this.#stream.destroyed) this.#stream.reset();
  }

  /** Frees the memory. */
  close(): void {
    this.#stream.close();
  }
}
