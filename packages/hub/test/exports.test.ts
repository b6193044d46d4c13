import assert from "node:assert/strict";
import { test } from "node:test";
import * as hub from "../src/index.ts";

test("the package exports these names and no others", () => {
  assert.deepEqual(Object.keys(hub).toSorted(), [
    "CloseCode",
    "DeadlineQueue",
    "Delivery",
    "Expiry",
    "Hub",
    "HubError",
    "MemoryBroker",
    "Message",
    "Publication",
    "RateLimit",
    "SocketFaces",
    "acceptInto",
    "clientFromRequest",
    "createSseHandler",
    "decodePackets",
    "defaultHubLimits",
    "defaultSocketLimits",
    "defaultSseLimits",
    "encodePacket",
    "numberOfCode",
    "packetHeaderBytes",
    "packetProtocol",
    "refusedPacketType",
    "roomsByPattern",
    "sessionProtocol",
    "systemClock",
    "unidentified",
  ]);
});
