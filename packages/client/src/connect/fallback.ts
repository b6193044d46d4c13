import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { MAX_TIMER_MS, platformClock } from "../clock.ts";
import type { Connection } from "../connection.ts";

/** What a call waits for, and for how long. */
interface Wait {
  readonly method: DescMethod;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds; none, or 0, where there is no limit. */
  readonly timeoutMs: number | undefined;
}

/** Makes calls with `own`, or with `fallback` where no WebSocket gets through. A deadline counts from here on. */
export function withFallback(
  connection: Connection,
  own: Transport,
  fallback: Transport,
  defaultTimeoutMs: number | undefined,
): Transport {
  const choose = async (wait: Wait): Promise<{ transport: Transport; timeoutMs: number | undefined }> => {
    const { method, timeoutMs } = wait;
    const begun = platformClock.now();
    const isReachable = await reaches(connection, wait);
    if (!isReachable) checkKind(method, connection);
    const hasLimit = timeoutMs !== undefined && timeoutMs > 0;
    // In whole milliseconds, as headers have them.
    return {
      transport: isReachable ? own : fallback,
      timeoutMs: hasLimit ? Math.max(Math.ceil(timeoutMs - platformClock.now() + begun), 1) : timeoutMs,
    };
  };
  return {
    async unary(method, signal, limit, ...rest) {
      const { transport, timeoutMs } = await choose({ method, signal, timeoutMs: limit ?? defaultTimeoutMs });
      return transport.unary(method, signal, timeoutMs, ...rest);
    },
    async stream(method, signal, limit, ...rest) {
      const { transport, timeoutMs } = await choose({ method, signal, timeoutMs: limit ?? defaultTimeoutMs });
      return transport.stream(method, signal, timeoutMs, ...rest);
    },
  };
}

/**
 * Whether WebSockets reach the gateway, which is known once one has been open, or an attempt has failed; for a call
 * that HTTP cannot carry, not before too many have. True as well when the caller has left or its time is over first, and
 * when the connection is closed: the transport then ends the call.
 */
function reaches(connection: Connection, { method, signal, timeoutMs }: Wait): boolean | Promise<boolean> {
  const isKnown = (): boolean | undefined => {
    const { hasBeenOpen, isFailing, state } = connection;
    if (hasBeenOpen || state.kind === "closed") return true;
    const hasFailed = state.kind === "waiting" || (state.kind === "connecting" && state.attempt > 1);
    return isFailing || (hasFailed && !streamsRequests(method)) ? false : undefined;
  };
  // May fail at once, where the policy of a page forbids it.
  if (connection.state.kind === "idle") connection.connect();
  const known = isKnown();
  if (known !== undefined) return known;
  return new Promise((resolve) => {
    const settle = (isReachable: boolean): void => {
      stop();
      timer?.cancel();
      signal?.removeEventListener("abort", leave);
      resolve(isReachable);
    };
    const leave = (): void => settle(true);
    const look = (): void => {
      const isReachable = isKnown();
      if (isReachable !== undefined) settle(isReachable);
    };
    const stop = connection.subscribe(look);
    const hasTimer = timeoutMs !== undefined && timeoutMs > 0 && timeoutMs <= MAX_TIMER_MS;
    const timer = hasTimer ? platformClock.after(timeoutMs, leave) : undefined;
    if (signal?.aborted === true) leave();
    else signal?.addEventListener("abort", leave);
  });
}

function streamsRequests({ methodKind }: DescMethod): boolean {
  return methodKind === "client_streaming" || methodKind === "bidi_streaming";
}

function checkKind(method: DescMethod, { state, url }: Connection): void {
  if (!streamsRequests(method)) return;
  const why = state.kind === "waiting" ? state.reason : "no attempt to connect succeeded";
  throw new ConnectError(
    `${method.parent.typeName}/${method.name} has a stream of requests, which HTTP cannot carry from a browser, and there is no WebSocket to ${url}: ${why}`,
    Code.Unavailable,
  );
}
