import assert from "node:assert/strict";
import { test } from "node:test";
import * as socketio from "../src/index.ts";

test("the package exports these names and no others", () => {
  assert.deepEqual(Object.keys(socketio).toSorted(), [
    "Adapter",
    "BroadcastOperator",
    "Decoder",
    "Encoder",
    "EngineMessage",
    "EngineServer",
    "ErrorCode",
    "Namespace",
    "PacketType",
    "RemoteSocket",
    "Server",
    "SessionAwareAdapter",
    "Socket",
    "SocketIoError",
    "defaultEngineLimits",
    "defaultMaxAttachments",
    "defaultServerLimits",
    "reservedEvents",
  ]);
});
