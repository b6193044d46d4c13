import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { SocketIoError } from "../src/index.ts";
import { EventRate } from "../src/server/event-rate.ts";
import { IoServer, next } from "./support/io-server.ts";

describe("events a second", () => {
  test("may be as many at once as the burst, and then as the rate", () => {
    const clock = new FakeClock();
    const rate = new EventRate(10, 5, clock);
    const failures: SocketIoError[] = [];
    const sender = { _fullAt: 0, _fail: (error: SocketIoError) => void failures.push(error) };
    const take = (times: number): boolean[] => Array.from({ length: times }, () => rate.takes(sender));
    assert.deepEqual(take(6), [true, true, true, true, true, false]);
    clock.advance(100);
    assert.deepEqual(take(2), [true, false]);
    clock.advance(10_000);
    assert.deepEqual(take(6), [true, true, true, true, true, false]);
    assert.equal(failures[0]!.code, "rate_exceeded");
    assert.match(failures[0]!.message, /10 events a second \(limits\.eventsPerSecond\)/);
  });

  test("are without bound where they are Infinity", () => {
    const rate = new EventRate(Infinity, Infinity, new FakeClock());
    const sender = { _fullAt: 0, _fail: () => assert.fail("there is no bound") };
    for (let times = 0; times < 100; times++) assert.equal(rate.takes(sender), true);
  });

  test("over the limit end the connection, and both sides are told why", async (context) => {
    const io = await IoServer.start({
      clock: new FakeClock(),
      // Two are the CONNECTs.
      limits: { eventsPerSecond: 1, eventBurst: 5 },
    });
    context.after(() => io.close());
    io.io.of("/other");
    const { client, server } = await io.connect();
    const other = io.share(client, "/other");
    await next(other, "connect");
    let events = 0;
    server.on("event", () => events++);
    io.otherEnd(other, "/other").on("event", () => events++);
    const disconnected = next(server, "disconnect");
    const closed = next(client, "disconnect");
    client.emit("event");
    // The connection's, not each namespace's.
    other.emit("event");
    client.emit("event");
    client.emit("event");
    client.emit("event");
    const [reason, description] = await disconnected;
    assert.deepEqual([reason, events, io.io.counts.ended.rate], ["forced server close", 3, 1]);
    assert.ok(description instanceof SocketIoError);
    assert.equal(description.code, "rate_exceeded");
    const [clientsReason, details] = await closed;
    assert.equal(clientsReason, "transport close");
    const { context: event } = details as { context: { reason: string } };
    assert.match(event.reason, /limits\.eventsPerSecond/);
  });
});
