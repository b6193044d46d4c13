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
 * The body of a request; or why there is none; or undefined where the client has gone. Of one that is too large, no more
 * than what is allowed is kept.
 */
export function readBody(request: SseRequest, bounds: BodyBounds): Promise<Buffer | HttpRefusal | undefined> {
  const { maxBytes, bodyMs, clock } = bounds;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (result: Buffer | HttpRefusal | undefined): void => {
      timer.cancel();
      request.off("data", onData);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= maxBytes) return;
      request.pause();
      settle({ status: 413, code: "RESOURCE_EXHAUSTED", message: `a message has at most ${maxBytes} bytes` });
    };
    const timer = clock.after(bodyMs, () => {
      request.pause();
      settle({
        status: 408,
        code: "DEADLINE_EXCEEDED",
        message: `the body did not come within ${bodyMs} ms`,
      });
    });
    request.on("data", onData);
    request.once("end", () => settle(Buffer.concat(chunks, bytes)));
    request.once("close", () => settle(undefined));
    request.once("error", () => settle(undefined));
  });
}
