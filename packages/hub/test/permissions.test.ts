import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Authorize, Hub, roomsByPattern } from "../src/index.ts";
import { connect } from "./support/fake-link.ts";
import { Gate } from "./support/gate.ts";
import { record } from "./support/record.ts";

const rooms = roomsByPattern({ "*": { presence: true, history: { size: 10, ttlMs: 1000 } }, quiet: {} });

function denied(what: string): object {
  return { code: "PERMISSION_DENIED", message: `This client may not ${what}.` };
}

function nobody(number: number): object {
  return {
    code: "NOT_FOUND",
    message: `Nobody has the number ${number}, or this client may not speak to them.`,
  };
}

describe("what a client asks for", () => {
  test("is denied where nobody says otherwise", async () => {
    const hub = new Hub({ rooms });
    const [client, other] = [await connect(hub, { rooms: [{ room: "a" }] }), await connect(hub)];
    assert.ok("attachment" in client.result);
    const { attachment, rooms: joined } = client.result;
    const [refused] = joined;
    assert.ok(refused !== undefined && "error" in refused);
    assert.equal(refused.room, "a");
    assert.equal(refused.error.code, "PERMISSION_DENIED");
    await assert.rejects(attachment.join("a"), denied("join this room"));
    await assert.rejects(attachment.publish("a", { data: "x" }), denied("publish to this room"));
    await assert.rejects(attachment.presence("a"), denied("see who is in this room"));
    await assert.rejects(attachment.history("a"), denied("read the history of this room"));
    // Of a session, it does not even learn that it is there.
    for (const number of [other.session.number, 99]) {
      await assert.rejects(attachment.say(number, { data: "x" }), nobody(number));
    }
    assert.deepEqual(hub.counts.denied, { join: 2, publish: 1, presence: 1, history: 1, send: 1 });
    assert.deepEqual(other.frames, []);
  });

  test("is done where `authorize` allows it, which is asked each time", async () => {
    const asked: string[] = [];
    const authorize: Authorize = async (session, action, target) => {
      asked.push(`${session.number} ${action} ${target}`);
      return true;
    };
    const hub = new Hub({ rooms, authorize });
    const [client, other] = [await connect(hub), await connect(hub)];
    const { attachment } = client;
    assert.ok(attachment !== undefined);
    assert.equal((await attachment.join("a")).recovered, true);
    const { offset } = await attachment.publish(
      "a",
      { data: "hello", type: "greeting" },
      { idempotencyKey: "1" },
    );
    assert.equal(offset, 1);
    assert.equal((await attachment.presence("a")).sessions, 1);
    const page = await attachment.history("a");
    assert.deepEqual(
      page.publications.map(({ message: { data, type, from } }) => [data, type, from]),
      [["hello", "greeting", 1]],
    );
    await attachment.say(other.session.number, { data: "psst" });
    await attachment.leave("a");
    assert.deepEqual(other.frames, ["psst"]);
    assert.deepEqual(asked, [
      "1 join a",
      "1 publish a",
      "1 presence a",
      "1 history a",
      `1 send ${other.session.id}`,
    ]);
  });

  test("is denied when the decision fails, and the application is told", async () => {
    const hub = new Hub({
      rooms,
      authorize: () => {
        throw new Error("no database");
      },
    });
    const told = record(hub);
    const { attachment } = await connect(hub);
    await assert.rejects(attachment?.join("a") ?? Promise.resolve(), { code: "PERMISSION_DENIED" });
    assert.deepEqual(told, ["connect 1", "error 1 Error: no database"]);
  });

  test("is refused where it makes no sense", async () => {
    const hub = new Hub({ rooms, authorize: () => true, limits: { messageBytes: 10 } });
    const { attachment, session } = await connect(hub);
    assert.ok(attachment !== undefined);
    await assert.rejects(attachment.say(99, { data: "x" }), nobody(99));
    await assert.rejects(attachment.say(session.number, { data: "x".repeat(11) }), {
      code: "INVALID_ARGUMENT",
    });
    await assert.rejects(attachment.publish("a", { data: "x".repeat(11) }), { code: "INVALID_ARGUMENT" });
    await assert.rejects(attachment.publish("a", { data: "x" }, { idempotencyKey: "k".repeat(256) }), {
      code: "INVALID_ARGUMENT",
      message: "An idempotency key has at most 255 bytes; this one has 256.",
    });
    await assert.rejects(attachment.presence("quiet"), { code: "FAILED_PRECONDITION" });
    await assert.rejects(attachment.history("quiet"), { code: "FAILED_PRECONDITION" });
  });

  test("reaches no session before it is let in", async () => {
    const gate = new Gate();
    const asked: string[] = [];
    const hub = new Hub({
      authorize: (_session, _action, target) => asked.push(target) > 0,
      admit: ({ request: { path } }) => (path === "/slow" ? gate.opened : undefined),
    });
    const { attachment, session } = await connect(hub);
    assert.ok(attachment !== undefined);
    const slow = connect(hub, { path: "/slow" });
    const number = session.number + 1;
    assert.equal(hub.sessionByNumber(number)?.phase, "opening");
    await assert.rejects(attachment.say(number, { data: "early" }), nobody(number));
    assert.deepEqual(asked, []);
    gate.open();
    await slow;
    await attachment.say(number, { data: "hello" });
    assert.deepEqual((await slow).frames, ["hello"]);
  });

  test("is refused once the session is over", async () => {
    const hub = new Hub({ rooms, authorize: () => true });
    const { attachment, session } = await connect(hub);
    assert.ok(attachment !== undefined);
    session.close();
    const over = { code: "FAILED_PRECONDITION", message: "The session is over." };
    await assert.rejects(attachment.join("a"), over);
    await assert.rejects(attachment.publish("a", { data: "x" }), over);
    attachment.receive("x");
    attachment.received(1);
    assert.equal(hub.counts.received, 0);
  });
});
