import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { Adapter } from "../src/index.ts";
import { type Ends, IoServer, next } from "./support/io-server.ts";

type Answer = (...args: unknown[]) => void;

describe("a broadcast that asks for answers", () => {
  const clock = new FakeClock();
  let server: IoServer;
  let ann: Ends;
  let bob: Ends;

  before(async () => {
    server = await IoServer.start({ clock });
  });

  beforeEach(async () => {
    [ann, bob] = await Promise.all([server.connect(), server.connect()]);
  });

  afterEach(async () => {
    const gone = [ann, bob].filter(({ server: { connected } }) => connected);
    const ends = Promise.all(gone.map(({ server: socket }) => next(socket, "disconnect")));
    for (const { client } of gone) client.disconnect();
    await ends;
  });

  after(() => server.close());

  test("has those of all clients", async () => {
    ann.client.on("sum", (one: number, two: number, answer: Answer) => answer(one + two));
    bob.client.on("sum", (one: number, two: number, answer: Answer) => answer(one * two, "more"));
    const answers: number[] = await server.io.timeout(1000).emitWithAck("sum", 3, 4);
    assert.deepEqual(new Set(answers), new Set([7, 12]));
    const called = await new Promise<unknown[]>((resolve) => {
      server.io.timeout(1000).emit("sum", 5, 6, (...args: unknown[]) => resolve(args));
    });
    assert.equal(called[0], null);
    assert.deepEqual(new Set(called[1] as number[]), new Set([11, 30]));
    assert.deepEqual([ann.server.acks.size, bob.server.acks.size], [0, 0]);
  });

  test("has those of the others, where a socket asks", async () => {
    bob.client.on("ask", (answer: Answer) => answer("bob"));
    assert.deepEqual(await ann.server.timeout(1000).broadcast.emitWithAck("ask"), ["bob"]);
    assert.deepEqual(await ann.server.to(bob.server.id).timeout(1000).emitWithAck("ask"), ["bob"]);
  });

  test("has none where nobody is meant", async () => {
    assert.deepEqual(await server.io.to("nowhere").timeout(1000).emitWithAck("ask"), []);
  });

  test("fails with those that came in time, and waits for no other", async () => {
    const earlier = server.io.counts.acksTimedOut;
    ann.client.on("ask", (answer: Answer) => answer("ann"));
    const late = new Promise<Answer>((resolve) => {
      bob.client.on("ask", (answer: Answer) => resolve(answer));
    });
    const calls: unknown[][] = [];
    server.io.timeout(500).emit("ask", (...args: unknown[]) => calls.push(args));
    const answered = server.io.timeout(500).emitWithAck("ask");
    const answer = await late;
    // Ann's answers came before this one's.
    await Promise.all([ann, bob].map(({ client, server: socket }) => roundTrip(client, socket)));
    clock.advance(500);
    assert.deepEqual(calls, [[new Error("operation has timed out"), ["ann"]]]);
    await assert.rejects(answered, { message: "operation has timed out", responses: ["ann"] });
    assert.deepEqual([ann.server.acks.size, bob.server.acks.size], [0, 0]);
    assert.equal(server.io.counts.acksTimedOut - earlier, 2);

    answer("too late");
    await roundTrip(bob.client, bob.server);
    assert.equal(calls.length, 1);
  });

  test("fails at once without a time", async () => {
    const answered = server.io.to(ann.server.id).emitWithAck("ask");
    clock.advance(0);
    await assert.rejects(answered, { message: "operation has timed out", responses: [] });
  });

  test("waits for no answer of a socket that has left, until its time is over", async () => {
    ann.client.on("ask", (answer: Answer) => answer("ann"));
    bob.client.on("ask", () => bob.client.disconnect());
    const gone = next(bob.server, "disconnect");
    const answered = server.io.timeout(500).emitWithAck("ask");
    await gone;
    assert.equal(bob.server.acks.size, 0);
    await roundTrip(ann.client, ann.server);
    clock.advance(500);
    await assert.rejects(answered, { responses: ["ann"] });
  });

  test("leaves no timer behind", async () => {
    for (const { client } of [ann, bob]) client.on("ask", (answer: Answer) => answer());
    const { size } = clock;
    await server.io.timeout(500).emitWithAck("ask");
    assert.equal(clock.size, size);
  });
});

test("a broadcast whose adapter cannot count the servers fails with its error", async (context) => {
  class Uncounted extends Adapter {
    override serverCount(): Promise<number> {
      return Promise.reject(new Error("the broker is gone"));
    }
  }
  const server = await IoServer.start({ adapter: Uncounted });
  context.after(() => server.close());
  await server.connect();
  await assert.rejects(server.io.timeout(1000).emitWithAck("ask"), { message: "the broker is gone" });
});

/** Resolves when all that a client has sent before was handled. */
async function roundTrip(client: Ends["client"], socket: Ends["server"]): Promise<void> {
  const came = next(socket, "round trip");
  client.emit("round trip");
  await came;
}
