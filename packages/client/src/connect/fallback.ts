import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { Connection } from "../connection.ts";

/** Makes calls with `own`, or with `fallback` where no WebSocket gets through. */
export function withFallback(connection: Connection, own: Transport, fallback: Transport): Transport {
  return {
    async unary(...call) {
      return ((await isReachable(connection, call[1])) ? own : fallback).unary(...call);
    },
    async stream(...call) {
      if (await isReachable(connection, call[1])) return own.stream(...call);
      checkKind(call[0], connection);
      return fallback.stream(...call);
    },
  };
}

/**
 * Whether WebSockets reach the gateway, which is known once one has been open or too many attempts have failed. True
 * as well when `signal` is aborted first: the transport then ends the call.
 */
function isReachable(connection: Connection, signal: AbortSignal | undefined): boolean | Promise<boolean> {
  if (connection.hasBeenOpen) return true;
  if (connection.isFailing) return false;
  if (connection.state.kind === "idle") connection.connect();
  return new Promise((resolve) => {
    const settle = (isOpen: boolean): void => {
      stop();
      signal?.removeEventListener("abort", abort);
      resolve(isOpen);
    };
    const abort = (): void => settle(true);
    const stop = connection.subscribe(() => {
      if (connection.hasBeenOpen || connection.state.kind === "closed") settle(true);
      else if (connection.isFailing) settle(false);
    });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort);
  });
}

function checkKind({ methodKind, name, parent }: DescMethod, { state, url }: Connection): void {
  if (methodKind === "server_streaming") return;
  const why = state.kind === "waiting" ? state.reason : "no attempt to connect succeeded";
  throw new ConnectError(
    `${parent.typeName}/${name} has a stream of requests, which HTTP cannot carry from a browser, and there is no WebSocket to ${url}: ${why}`,
    Code.Unavailable,
  );
}
