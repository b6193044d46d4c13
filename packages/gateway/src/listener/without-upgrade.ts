import type { IncomingMessage } from "node:http";

/** Whether a client that asks for another protocol asks for WebSocket. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return (request.headers.upgrade ?? "").split(",").some((each) => each.trim().toLowerCase() === "websocket");
}

/**
 * The head of a request without its wish for another protocol, which a server may pass over (RFC 9110, section
 * 7.8): `curl --http2` and Java's HttpClient ask for `h2c` in each first request.
 */
export function headWithoutUpgrade(request: IncomingMessage): Buffer {
  const { rawHeaders } = request;
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (/^(?:upgrade|http2-settings)$/i.test(name)) continue;
    lines.push(`${name}: ${rawHeaders[at + 1] ?? ""}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}
