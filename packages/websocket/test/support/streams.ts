import * as fc from "fast-check";
import { frame } from "./frames.ts";

/** A message, the pieces in which it is sent, and the control frames before each piece. */
export interface SentMessage {
  readonly isBinary: boolean;
  readonly payload: Buffer;
  readonly cuts: readonly number[];
  readonly controls: readonly SentControl[];
}

/** A ping or a pong. */
export interface SentControl {
  readonly opcode: 9 | 10;
  readonly payload: Buffer;
}

const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength, size: "max" }).map((data) => Buffer.from(data));
const text = fc.string({ unit: "binary", maxLength: 200, size: "max" }).map((value) => Buffer.from(value));

const control: fc.Arbitrary<SentControl> = fc.record({
  opcode: fc.constantFrom(9 as const, 10 as const),
  payload: bytes(125),
});

/** A message of either kind in any fragments. */
export const message: fc.Arbitrary<SentMessage> = fc
  .oneof(
    fc.record({ isBinary: fc.constant(true), payload: bytes(700) }),
    fc.record({ isBinary: fc.constant(false), payload: text }),
  )
  .chain((kind) =>
    fc.record({
      isBinary: fc.constant(kind.isBinary),
      payload: fc.constant(kind.payload),
      cuts: fc
        .array(fc.nat(kind.payload.length), { maxLength: 4 })
        .map((cuts) => cuts.toSorted((a, b) => a - b)),
      controls: fc.array(control, { maxLength: 3 }),
    }),
  );

/** The frames of some messages as they are on the wire. */
export function encodeMessages(messages: readonly SentMessage[], mask?: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (const { isBinary, payload, cuts, controls } of messages) {
    const edges = [0, ...cuts, payload.length];
    for (let index = 0; index + 1 < edges.length; index++) {
      const sent = controls[index];
      if (sent !== undefined) frames.push(frame(0x80 | sent.opcode, sent.payload, mask));
      const opcode = index === 0 ? (isBinary ? 2 : 1) : 0;
      const fin = index + 2 === edges.length ? 0x80 : 0;
      frames.push(frame(fin | opcode, payload.subarray(edges[index], edges[index + 1]), mask));
    }
  }
  return Buffer.concat(frames);
}

/** What `readFrames` gives for these messages. */
export function expectedOf(messages: readonly SentMessage[], show: (data: Buffer) => string): string[] {
  return messages.flatMap(({ isBinary, payload, cuts, controls }) => [
    ...controls.slice(0, cuts.length + 1).map((sent) => `control ${sent.opcode} ${show(sent.payload)}`),
    `${isBinary ? "binary" : "text"} ${show(payload)}`,
  ]);
}

/** Bytes in pieces, cut at places given as parts of the whole. */
export function cutAt(wire: Buffer, places: readonly number[]): Buffer[] {
  const edges = [
    0,
    ...places.map((place) => Math.floor(place * wire.length)).toSorted((a, b) => a - b),
    wire.length,
  ];
  const chunks: Buffer[] = [];
  for (let index = 0; index + 1 < edges.length; index++) {
    const chunk = wire.subarray(edges[index], edges[index + 1]);
    if (chunk.length > 0) chunks.push(chunk);
  }
  return chunks;
}

/** Where to cut. */
export const places: fc.Arbitrary<number[]> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  maxLength: 20,
});
