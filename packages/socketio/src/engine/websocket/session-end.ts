import type { Closed } from "@sluice/websocket";
import { SocketIoError } from "../../error.ts";
import type { CloseReason } from "../close-reason.ts";

/** Why a session has ended. */
export interface SessionEnd {
  readonly reason: CloseReason;
  readonly cause: Error | undefined;
}

/** Why a session has ended whose WebSocket has. A limit has the name that it has for the engine. */
export function endFromClosed({ cause }: Closed, maxHttpBufferSize: number): SessionEnd {
  if (cause === undefined || cause.code === "connection_lost" || cause.code === "timeout") {
    return { reason: "transport close", cause };
  }
  if (cause.code !== "message_too_big") return { reason: "transport error", cause };
  const message = `a message has at most ${maxHttpBufferSize} bytes (maxHttpBufferSize)`;
  return { reason: "transport error", cause: new SocketIoError("payload_too_large", message, { cause }) };
}
