import { CloseCode, type WebSocketConnection } from "@sluice/websocket";
import { SocketIoError } from "../../error.ts";
import type { CloseReason } from "../close-reason.ts";
import { own } from "./connection-owner.ts";

/** Ends the WebSocket of a session that has ended, and tells the client why where it did something wrong. */
export function closeWebSocket(
  connection: WebSocketConnection,
  reason: CloseReason,
  cause: Error | undefined,
): void {
  own(connection, undefined);
  if (!(cause instanceof SocketIoError)) connection.close(CloseCode.NORMAL, reason);
  // Nothing would get through any more.
  else if (cause.code === "buffer_overflow") connection.terminate();
  else connection.close(CloseCode.PROTOCOL_ERROR, cause.message);
}
