import type { SseResponse } from "./http-message.ts";

/** From so many waiting bytes on, it is told to wait. */
const highWaterMark = 65_536;

/** Writers with events that leave at the end of this tick. */
let due: StreamWriter[] = [];

function flushDue(): void {
  const writers = due;
  due = [];
  for (const writer of writers) writer.flush();
}

/** Writes the events of a tick to one response, in one write. */
export class StreamWriter {
  readonly #response: SseResponse;
  readonly #drained: () => void;
  #parts: (string | Buffer)[] = [];
  #bytes = 0;
  #wantsDrain = false;

  /** `drained` is called once after a `write` that answered false. */
  constructor(response: SseResponse, drained: () => void) {
    this.#response = response;
    this.#drained = drained;
    response.on("drain", () => this.#hasRoom());
  }

  /** Bytes that wait in this process. */
  get bufferedAmount(): number {
    return this.#bytes + this.#response.writableLength;
  }

  /** Adds one event: a head of ASCII, and its body. Answers whether to go on. */
  write(head: string, body?: Buffer): boolean {
    if (this.#bytes === 0 && due.push(this) === 1) process.nextTick(flushDue);
    this.#parts.push(head);
    this.#bytes += head.length;
    if (body !== undefined) {
      this.#parts.push(body);
      this.#bytes += body.length;
    }
    if (this.bufferedAmount < highWaterMark) return true;
    this.#wantsDrain = true;
    return false;
  }

  /** Writes what was added. */
  flush(): void {
    if (this.#bytes === 0) return;
    const all = Buffer.allocUnsafe(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      if (typeof part === "string") at += all.write(part, at, "latin1");
      else {
        all.set(part, at);
        at += part.length;
      }
    }
    this.#parts = [];
    this.#bytes = 0;
    if (this.#response.destroyed || this.#response.writableEnded) return;
    if (this.#response.write(all)) this.#hasRoom();
  }

  /** Writes what was added, and ends the response. */
  end(): void {
    this.flush();
    this.#response.end();
  }

  #hasRoom(): void {
    if (!this.#wantsDrain || this.bufferedAmount >= highWaterMark) return;
    this.#wantsDrain = false;
    this.#drained();
  }
}
