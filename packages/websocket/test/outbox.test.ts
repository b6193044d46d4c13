import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Outbox } from "../src/outbox.ts";
import { readFrames, show } from "./support/frames.ts";

const payloads = [9_000, 20_000, 31_000, 30_000, 10, 40_000, 32_767, 32_700, 5].map((size, index) =>
  Buffer.alloc(size, index + 1),
);

/** A stream whose writes are no system's: they may call whatever the application has made of it. */
function listen(): { readonly stream: PassThrough; readonly chunks: Buffer[] } {
  const stream = new PassThrough({ highWaterMark: 1024 * 1024 });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { stream, chunks };
}

describe("what is sent to a stream that is no system's socket", () => {
  for (const masked of [false, true]) {
    test(`leaves at the end of the tick, however much it is, ${masked ? "masked" : "unmasked"}`, async () => {
      const ends = [listen(), listen(), listen()];
      const outboxes = ends.map(({ stream }) => new Outbox(stream, masked, () => {}));
      for (const payload of payloads) for (const outbox of outboxes) outbox.frame(0x82, payload);
      assert.deepEqual(
        ends.map(({ stream, chunks }) => stream.writableLength + chunks.length),
        [0, 0, 0],
        "a write could have had a handler send, in the middle of what is sent here",
      );
      await setImmediate();
      const expected = payloads.map((payload) => `binary ${show(payload)}`);
      for (const { chunks } of ends) assert.deepEqual(readFrames(chunks, { masked }), expected);
    });
  }
});
