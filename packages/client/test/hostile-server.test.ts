import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { FakeClock, settled } from "@sluice/testkit/fake-clock";
import * as fc from "fast-check";
import { CallStream } from "../src/call-stream.ts";
import { Connection } from "../src/index.ts";
import { MemoryGateway } from "./support/memory-gateway.ts";
import { bytes } from "./support/recorder.ts";
import { Source } from "./support/source.ts";

const HELLO = [1, 0, 0, 0, 0, 0, 0, 0];

/** A frame with a header that is right, but for its type and flags now and then, and whatever payload. */
const frame: fc.Arbitrary<number[]> = fc
  .record({
    type: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(3, 3, 4, 4, 4, 6, 8, 10, 11) },
      { weight: 1, arbitrary: fc.nat(255) },
    ),
    flags: fc.constantFrom(0, 1, 1, 0x80),
    call: fc.nat(4),
    payload: fc.oneof(
      fc.constant([0, 0, 0, 0]),
      fc.constant([0, 0, 0, 0, 0, 0, 0, 0]),
      fc.constant([0, 0, 0, 5, 0, 0, 0, 2, 0x1a, 0xff]),
      fc.constant([1, 97, 0, 1, 98]),
      fc.array(fc.nat(255), { maxLength: 20 }),
    ),
  })
  .map(({ type, flags, call, payload }) => {
    const of = type === 10 || type === 11 ? 0 : call;
    return [type, type === 4 ? flags : 0, 0, payload.length, 0, 0, 0, of, ...payload];
  });

const message = fc.array(frame, { minLength: 1, maxLength: 4 }).map((frames) => frames.flat());

test("whatever a server sends, each call ends once, and nothing stays", async () => {
  const property = fc.asyncProperty(
    fc.array(message, { maxLength: 12 }),
    fc.integer({ min: 0, max: 3 }),
    async (messages, moment) => {
      const gateway = new MemoryGateway();
      gateway.mode = "mute";
      const clock = new FakeClock();
      const connection = new Connection({
        url: "ws://a",
        webSocket: gateway.webSocket,
        clock,
        random: () => 0.5,
      });
      const controller = new AbortController();
      const calls = [0, 1, 2].map(() => {
        const stream = new CallStream(connection, { method: "a.B/C", timeout: 60_000 }, controller.signal);
        const source = new Source();
        source.give("a request");
        const sent = stream.sendAll(source, bytes);
        return {
          stream,
          sent,
          answers: stream.next().then(
            () => 1,
            () => 1,
          ),
        };
      });
      await settled();
      const socket = gateway.last;
      socket.emitData(new Uint8Array(HELLO).buffer);
      await settled();
      for (const [index, each] of messages.entries()) {
        if (index === moment) calls[0]?.stream.cancel();
        socket.emitData(new Uint8Array(each).buffer);
        await settled();
      }
      connection.close();
      await settled();
      for (const { stream, sent, answers } of calls) {
        assert.equal(await answers, 1);
        await sent;
        const ends = new Set<unknown>();
        for (let left = 3; left > 0;) {
          const end: unknown = await stream.next().catch((error: unknown) => error ?? "error");
          if (end instanceof Uint8Array) continue;
          ends.add(end);
          left--;
        }
        assert.equal(ends.size, 1, "the end is always the same");
      }
      assert.equal(getEventListeners(controller.signal, "abort").length, 0);
      assert.equal(clock.size, 0, "timers stay");
    },
  );
  await fc.assert(property, { numRuns: 500 });
});
