import assert from "node:assert/strict";
import { test } from "node:test";
import * as websocket from "../src/index.ts";

test("the package exports these names and no others", () => {
  assert.deepEqual(Object.keys(websocket).toSorted(), [
    "CloseCode",
    "EventWebSocket",
    "Heartbeat",
    "MessageInbox",
    "PreparedMessage",
    "SocketCloseEvent",
    "SocketErrorEvent",
    "SocketMessageEvent",
    "WebSocketDuplex",
    "WebSocketError",
    "ZlibPool",
    "acceptHttp2WebSocket",
    "acceptWebSocket",
    "addressBlock",
    "allowsOrigin",
    "connectHttp2WebSocket",
    "connectWebSocket",
    "createWebSocketServer",
    "defaultCompression",
    "defaultHeartbeat",
    "defaultLimits",
    "isHttp2WebSocket",
    "isWireCloseCode",
    "refuseHttp2WebSocket",
    "refuseWebSocket",
    "systemClock",
  ]);
});
