import type { WebSocketConnection } from "@sluice/websocket";
import type { TransportName } from "./engine-options.ts";
import type { PollingTransport } from "./polling/polling-transport.ts";
import type { UpgradeProbe } from "./websocket/upgrade-probe.ts";
import type { PacketWire } from "./websocket/send-packet.ts";

/** The client polls. */
export interface Polling {
  readonly name: "polling";
  readonly transport: PollingTransport;
}

/** The client polls, and tries a WebSocket; the server's deadlines end a probe that takes too long. */
export interface Upgrading {
  readonly name: "upgrading";
  readonly transport: PollingTransport;
  readonly probe: UpgradeProbe;
}

/** The client is on a WebSocket. */
export interface OnWebSocket extends PacketWire {
  readonly name: "websocket";
  readonly connection: WebSocketConnection;
}

/** The last packets wait for a poll, or for the WebSocket that the client was about to move to. */
export interface Closing {
  readonly name: "closing";
  readonly transport: PollingTransport;
  readonly probe: UpgradeProbe | undefined;
}

/** Where a session is. A session begins as polling or on a WebSocket: before, there is only a request. */
export type SessionState =
  | Polling
  | Upgrading
  | OnWebSocket
  | Closing
  | { readonly name: "closed"; readonly was: "polling" | "websocket" };

/** What users are told of a session that polls. */
export const polling: { readonly name: TransportName } = Object.freeze({ name: "polling" });

/** What users are told of a session on a WebSocket. */
export const onWebSocket: { readonly name: TransportName } = Object.freeze({ name: "websocket" });

/** What a session is on, or was. */
export function transportOf(state: SessionState): { readonly name: TransportName } {
  const name = state.name === "closed" ? state.was : state.name;
  return name === "websocket" ? onWebSocket : polling;
}
