import type { IncomingMessage } from "node:http";
import type { WebSocketConnection } from "@sluice/websocket";
import type { Revision } from "./codec/packet.ts";
import type { Handshake } from "./handshake.ts";

/** What a session is made of. */
export interface SessionStart {
  readonly id: string;
  readonly revision: Revision;
  /** Whether the client asked for text only (`b64` in the query). */
  readonly base64: boolean;
  readonly handshake: Handshake;
  readonly request: IncomingMessage | undefined;
  /** The WebSocket that it begins on; undefined for polling. */
  readonly connection: WebSocketConnection | undefined;
}
