import type { Clock } from "../../clock.ts";
import type { HttpRefusal, SseRequest } from "./http-message.ts";

/** How a body may be. */
export interface BodyBounds {
  readonly maxBytes: number;
  /** Milliseconds for all of it. */
  readonly bodyMs: number;
  readonly clock: Clock;
}

/**
 * The body of a request; or why there is none; or undefined where the client has gone. What is too much, or late, is read
 * and not kept.
 */
export function readBody(request: SseRequest, bounds: BodyBounds): Promise<Buffer | HttpRefusal | undefined> {
  const { maxBytes, bodyMs, clock } = bounds;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (result: Buffer | HttpRefusal | undefined): void => {
      timer.cancel();
      request.off("data", onData).off("end", onEnd).off("close", onGone);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > maxBytes) settle(tooLarge(maxBytes));
    };
    const onEnd = (): void => settle(Buffer.concat(chunks, bytes));
    const onGone = (): void => settle(undefined);
    const timer = clock.after(bodyMs, () => settle(tooSlow(bodyMs)));
    request.on("data", onData).on("end", onEnd).on("close", onGone);
    // The end of the request follows.
    request.on("error", () => {});
  });
}

function tooLarge(maxBytes: number): HttpRefusal {
  return { status: 413, code: "RESOURCE_EXHAUSTED", message: `a message has at most ${maxBytes} bytes` };
}

function tooSlow(bodyMs: number): HttpRefusal {
  return { status: 408, code: "DEADLINE_EXCEEDED", message: `the body did not come within ${bodyMs} ms` };
}
