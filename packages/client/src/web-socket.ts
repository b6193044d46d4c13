/**
 * What is needed of a WebSocket: the one of browsers, of workers and of Node 22, `WebSocket` of the npm package ws, and
 * `EventWebSocket` of @sluice/websocket all have this shape.
 */
export interface WebSocketLike {
  /** The subprotocol that the server selected. */
  readonly protocol: string;
  /** Bytes that were sent and have not left. */
  readonly bufferedAmount: number;
  /** Is set to `arraybuffer`. */
  binaryType: string;
  /**
   * `data` of a message is an ArrayBuffer or a string; `message` of an error is read, where there is one, to say why a
   * connection failed; a close has `code` and `reason`.
   */
  addEventListener(type: "open" | "message" | "error" | "close", listener: (event: object) => void): void;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/** The class of WebSockets. */
export type WebSocketConstructor = new (url: string, protocol: string) => WebSocketLike;

/** The platform's WebSocket class. Throws a TypeError that says what to do where there is none, as on Node 20. */
export function platformWebSocket(): WebSocketConstructor {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketConstructor };
  if (WebSocket !== undefined) return WebSocket;
  throw new TypeError(
    "this platform has no WebSocket: give one as the option webSocket, such as EventWebSocket of @sluice/websocket or WebSocket of ws",
  );
}

/**
 * The absolute URL of a WebSocket, from one with the scheme ws, wss, http or https, or, in a page, from one that is
 * relative to it. Throws a TypeError that names what is wrong.
 */
export function webSocketUrl(url: string | URL): string {
  const { location } = globalThis as { location?: { readonly href: string } };
  let href: string;
  try {
    ({ href } = new URL(url, location?.href));
  } catch (cause) {
    const hint = location === undefined ? "; only in a page it may be relative" : "";
    throw new TypeError(`the option url is ${JSON.stringify(url)}, which is no URL${hint}`, { cause });
  }
  const absolute = href.replace(/^http/, "ws");
  if (!/^wss?:/.test(absolute))
    throw new TypeError(`${href}: a WebSocket has a URL of ws, wss, http or https`);
  return absolute.replace(/#.*$/, "");
}
