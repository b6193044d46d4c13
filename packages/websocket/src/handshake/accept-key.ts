import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455 section 4.2.2). */
export function acceptFromKey(key: string): string {
  return createHash("sha1")
    .update(key + GUID)
    .digest("base64");
}
