import { Code } from "@sluice/protocol";
import { createStatus } from "@sluice/rpc";
import { EventStream, type EventStreamOptions } from "./event-stream.ts";
import type { Caller, HookEvent, Outcome } from "./hook.ts";

/** Carries events to the backend on streams. */
export class StreamCaller implements Caller {
  readonly #streams: readonly EventStream[];

  /** `streams` is how many there are; each event goes to the one with the fewest that wait. */
  constructor(streams: number, options: EventStreamOptions) {
    this.#streams = Array.from({ length: streams }, () => new EventStream(options));
  }

  call(event: HookEvent, timeoutMs: number, settle: (outcome: Outcome) => void): void {
    let least: EventStream | undefined;
    for (const stream of this.#streams) {
      if (least === undefined || stream.size < least.size) least = stream;
    }
    least?.call(event, timeoutMs, settle);
  }

  close(): void {
    for (const stream of this.#streams) {
      stream.close(createStatus(Code.UNAVAILABLE, "the gateway is shutting down"));
    }
  }
}
