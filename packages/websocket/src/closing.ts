import type { Clock, Timer } from "./clock.ts";
import { CloseCode } from "./close-code.ts";
import type { CloseFrame } from "./close-frame.ts";
import type { Closed } from "./connection.ts";
import { WebSocketError } from "./error.ts";

/** The closing handshake (RFC 6455 section 7.1), or what is left of it after a failure. */
export interface Closing {
  readonly name: "closing";
  /** Ends the wait for the peer. */
  readonly timer: Timer;
  /** What the peer's close frame said. */
  received: CloseFrame | undefined;
  /** Why this side failed the connection. */
  failure: WebSocketError | undefined;
}

/** Begins to close; `terminate` is called when the peer has not closed after so many milliseconds. */
export function startClosing(
  clock: Clock,
  timeoutMs: number,
  terminate: (late: WebSocketError) => void,
): Closing {
  const late = new WebSocketError("timeout", `the peer did not close within ${timeoutMs} ms`);
  const timer = clock.after(timeoutMs, () => terminate(late));
  return { name: "closing", timer, received: undefined, failure: undefined };
}

/** How it ended, given how it was closing, if it was, and why the socket was lost, if it was. */
export function closedFrom(closing: Closing | undefined, loss: WebSocketError | undefined): Closed {
  if (closing?.failure !== undefined) {
    const { failure } = closing;
    return { code: failure.closeCode, reason: failure.message, clean: false, cause: failure };
  }
  if (closing?.received !== undefined) return { ...closing.received, clean: true };
  const lost = { code: CloseCode.ABNORMAL, reason: "", clean: false };
  return loss === undefined ? lost : { ...lost, cause: loss };
}
