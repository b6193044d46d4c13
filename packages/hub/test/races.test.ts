import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Hub } from "../src/index.ts";
import { connect } from "./support/fake-link.ts";

describe("what happens at once", () => {
  test("is told to each handler in the order in which it happened", async () => {
    const hub = new Hub();
    const told: string[] = [];
    hub.onConnect((session) => session.close(4000, "no"));
    hub.onConnect(() => told.push("connect"));
    hub.onDisconnect(() => told.push("disconnect"));
    await connect(hub);
    assert.deepEqual(told, ["connect", "disconnect"]);
  });
});

describe("a message's type", () => {
  test("counts as its data does: over the limit, and for what waits", async () => {
    const hub = new Hub({ limits: { messageBytes: 10 }, authorize: () => true });
    const client = await connect(hub);
    await assert.rejects(
      client.attachment!.publish("room", { data: "12345", type: "123456" }),
      /has at most 10 bytes .* this one has 11/,
    );
    client.attachment?.receive("12345", { type: "123456" });
    assert.equal(client.closed?.code, 1009);
  });
});
