import { CloseCode, type WebSocketConnection } from "@sluice/websocket";
import { SocketIoError, type SocketIoErrorCode } from "../../error.ts";
import type { CloseReason } from "../close-reason.ts";
import { own } from "./connection-owner.ts";

/** What broke a rule of this server, and none of the protocol. */
const policies: ReadonlySet<SocketIoErrorCode> = new Set<SocketIoErrorCode>([
  "limit_exceeded",
  "rate_exceeded",
  "connect_timeout",
  "auth_expired",
]);

/** Ends the WebSocket of a session that has ended, and tells the client why where it did something wrong. */
export function closeWebSocket(
  connection: WebSocketConnection,
  reason: CloseReason,
  cause: Error | undefined,
): void {
  own(connection, undefined);
  // The answer to the close frame is still to be read, also where the session was paused.
  connection.resume();
  if (!(cause instanceof SocketIoError)) connection.close(CloseCode.NORMAL, reason);
  // Nothing would get through any more.
  else if (cause.code === "buffer_overflow") connection.terminate();
  else if (policies.has(cause.code)) connection.close(CloseCode.POLICY_VIOLATION, cause.message);
  else connection.close(CloseCode.PROTOCOL_ERROR, cause.message);
}
