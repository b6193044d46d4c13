import type { Closed, WebSocketConnection, WebSocketHandlers } from "@sluice/websocket";

/** What a WebSocket belongs to: a session, or the probe of one that is upgraded. It is the connection's `data`. */
export interface ConnectionOwner {
  /** A message came. */
  message(data: Buffer, isBinary: boolean): void;
  /** There is room again. */
  drained(): void;
  /** The connection has ended. */
  closed(closed: Closed): void;
}

/** Gives a connection to an owner, or with undefined to nobody any more. */
export function own(connection: WebSocketConnection, owner: ConnectionOwner | undefined): void {
  connection.data = owner;
}

/** The handlers of all WebSockets: they tell the owner. */
export const ownedHandlers: WebSocketHandlers = {
  message: (connection, data, isBinary) => ownerOf(connection)?.message(data, isBinary),
  drain: (connection) => ownerOf(connection)?.drained(),
  close: (connection, closed) => ownerOf(connection)?.closed(closed),
};

function ownerOf(connection: WebSocketConnection): ConnectionOwner | undefined {
  return connection.data as ConnectionOwner | undefined;
}
