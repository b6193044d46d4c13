import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * A function as Express has them, for every request of the engine, those for WebSockets among them. It calls `next()`,
 * `next(error)`, or answers. What it sets on the response goes into the answer, also into that of a WebSocket.
 */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => unknown;
