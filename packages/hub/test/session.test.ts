import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Hub } from "../src/index.ts";
import { connect } from "./support/fake-link.ts";

describe("a session", () => {
  test("echoes", async () => {
    const hub = new Hub();
    hub.onMessage((session, text) => session.send(text));
    const client = await connect(hub);
    client.attachment?.receive("hello");
    assert.deepEqual(client.log, ["opened", "hello"]);
    assert.equal(hub.size, 1);
    const result = await client.session.join("a");
    assert.equal(result.recovered, true);
    await hub.publish("a", "to all");
    assert.deepEqual(client.frames, ["hello", "a#0:to all"]);
    client.lose();
    assert.equal(hub.size, 0);
    assert.equal(hub.roomCount, 0);
  });
});
