import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClientMultiplex, createServerMultiplex } from "../src/index.ts";
import { frames } from "./frames.ts";
import { Loop, MemoryWire, Recorder } from "./pair.ts";
import {
  bytesFromHex,
  type ConversationVector,
  conversationVectors,
  decode,
  encode,
  frameVectors,
} from "./vector.ts";

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("the frames of", () => {
  for (const { name, hex, frames: expected } of frameVectors) {
    test(`${name} are encoded and decoded`, () => {
      assert.equal(Buffer.concat(expected.map(encode)).toString("hex"), hexOf(bytesFromHex(hex)));
      const full = expected.map((frame) =>
        frame.type === "DATA" ? { ...frame, chunk: hexOf(bytesFromHex(frame.chunk)) } : frame,
      );
      assert.deepEqual(frames(bytesFromHex(hex)).map(decode), full);
    });
  }
});

function converse({ side, limits = {}, opens = 0, receives }: ConversationVector): MemoryWire {
  const loop = new Loop();
  const wire = new MemoryWire();
  wire.capacity = Infinity;
  const { defer } = loop;
  if (side === "client") {
    const client = createClientMultiplex(wire, { defer, limits });
    for (let call = 0; call < opens; call++) client.open({ method: "a.B/C" }, new Recorder());
    for (const hex of receives) {
      client.receive(bytesFromHex(hex));
      loop.run();
    }
  } else {
    const server = createServerMultiplex(wire, { defer, limits, accept: () => new Recorder() });
    for (const hex of receives) {
      server.receive(bytesFromHex(hex));
      loop.run();
    }
  }
  return wire;
}

describe("a side that is given", () => {
  for (const vector of conversationVectors) {
    const what = vector.closes === null ? "goes on" : `closes with ${vector.closes}`;
    test(`${vector.name}, as ${vector.side}, ${what}`, () => {
      const wire = converse(vector);
      assert.equal(wire.closing?.code ?? null, vector.closes, wire.closing?.reason);
      const sent = frames(...wire.sent)
        .map(decode)
        .filter(({ type }) => type !== "HELLO");
      const plain = sent.map((frame, index) => {
        const expected = vector.sends[index];
        if (frame.type !== "STATUS" || expected?.type !== "STATUS" || expected.message !== "*") return frame;
        assert.notEqual(frame.message, "");
        return { ...frame, message: "*" };
      });
      assert.deepEqual(plain, vector.sends);
    });
  }
});
