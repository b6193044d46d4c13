import type { WebSocketRequest } from "@sluice/rpc";
import type { AcceptOptions, WebSocketHandlers } from "@sluice/websocket";

interface Closing {
  readonly code: number;
  readonly reason: string;
}

const handlers: WebSocketHandlers = {
  open: (connection) => {
    const { code, reason } = connection.data as Closing;
    connection.close(code, reason);
  },
};

/**
 * Tells a client why it gets no session: its WebSocket is opened as `options` say and closed at once, because pages see no
 * other answer than a close code.
 */
export function refusedSocket(
  webSocket: WebSocketRequest,
  options: AcceptOptions,
  code: number,
  reason: string,
): void {
  const closing: Closing = { code, reason };
  webSocket.accept({ ...options, handlers, data: closing });
}
