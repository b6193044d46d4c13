import type { WebSocketEndpoint } from "./endpoint.ts";
import type { WebSocketServerOptions } from "./server-options.ts";
import { WebSocketServer } from "./web-socket-server.ts";

/**
 * Makes a server of one endpoint or of several. It listens nowhere itself: attach it to HTTP servers, or hand it
 * their requests.
 *
 * ```ts
 * const server = createWebSocketServer([
 *   { path: "/chat", handlers: chat, verify: async (request) => ({ data: await userOf(request) }) },
 *   { path: "/feed", handlers: feed, origin: "any" },
 * ]);
 * server.attach(createServer().listen(8080));
 * ```
 *
 * Throws a RangeError for a limit that is not a number above 0.
 */
export function createWebSocketServer(
  endpoints: WebSocketEndpoint | readonly WebSocketEndpoint[],
  options: WebSocketServerOptions = {},
): WebSocketServer {
  return new WebSocketServer("handlers" in endpoints ? [endpoints] : endpoints, options);
}
