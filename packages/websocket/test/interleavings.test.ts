import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import * as fc from "fast-check";
import { PreparedMessage } from "../src/index.ts";
import type { SocketConnection } from "../src/socket-connection.ts";
import { connection, pair } from "./support/socket-pair.ts";

/** One side of a connection. */
interface Side {
  readonly end: SocketConnection;
  /** What its peer has sent it and has not come. */
  readonly expected: Buffer[];
  readonly peer: () => Side;
}

type Kind = "bytes" | "text" | "fragments" | "prepared" | "to all" | "pause" | "resume" | "tick";

/** Something that is done to the side `at`; with `inside` not now, but while the next message to `at` is handled. */
interface Event {
  readonly kind: Kind;
  readonly at: number;
  readonly size: number;
  readonly inside: boolean;
}

const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom<Kind>(
    ...(["bytes", "bytes", "text", "fragments", "prepared", "to all", "pause", "resume", "tick"] as const),
  ),
  at: fc.nat(5),
  // Around what is copied together, what is written early, what is not copied, and what is read at once.
  size: fc.oneof(
    fc.nat(200),
    fc.integer({ min: 8_100, max: 8_300 }),
    fc.integer({ min: 32_740, max: 32_800 }),
    fc.integer({ min: 65_500, max: 65_560 }),
    fc.nat(150_000),
  ),
  inside: fc.boolean(),
});

/** Some connections, each with both sides, whose messages are checked as they come. */
class Play {
  readonly #sides: Side[];
  readonly #inside = new Map<Side, Event[]>();
  #count = 0;
  #missing = 0;
  #wrong: string | undefined;

  private constructor(sides: Side[]) {
    this.#sides = sides;
  }

  static async begin(context: TestContext): Promise<Play> {
    const sides: Side[] = [];
    const play = new Play(sides);
    for (let index = 0; index < 6; index += 2) {
      const { accepted, peer } = await pair(context);
      for (const [at, socket] of [accepted, peer].entries()) {
        const own = index + at;
        const handler = (_: unknown, data: Buffer): void => play.#take(sides[own] as Side, data);
        const handlers = own % 3 === 0 ? { message: handler } : { view: handler };
        const end = connection(socket, handlers, at === 0 ? "server" : "client");
        sides.push({ end, expected: [], peer: () => sides[own ^ 1] as Side });
      }
    }
    return play;
  }

  #take(side: Side, data: Buffer): void {
    const expected = side.expected.shift();
    if (expected?.equals(data) !== true) this.#wrong ??= `${data.length} bytes came that were not sent next`;
    this.#missing--;
    const events = this.#inside.get(side) ?? [];
    this.#inside.delete(side);
    for (const each of events) this.#do(side, each);
  }

  async run(all: readonly Event[]): Promise<void> {
    for (const each of all) {
      const side = this.#sides[each.at] as Side;
      if (each.kind === "tick") await setImmediate();
      else if (each.inside) this.#inside.set(side, [...(this.#inside.get(side) ?? []), each]);
      else this.#do(side, each);
    }
    for (const { end } of this.#sides) end.resume();
    while (this.#missing > 0 && this.#wrong === undefined) {
      for (const { end } of this.#sides) {
        assert.equal(end.state, "open");
        end.resume();
      }
      await setImmediate();
    }
    assert.equal(this.#wrong, undefined);
  }

  end(): void {
    for (const { end } of this.#sides) end.terminate();
  }

  #do(side: Side, { kind, size }: Event): void {
    if (kind === "pause") return side.end.pause();
    if (kind === "resume") return side.end.resume();
    const content = Buffer.alloc(size, `${this.#count++};`);
    const prepared = new PreparedMessage(content);
    const receivers = kind === "to all" ? this.#sides : [side.peer()];
    for (const receiver of receivers) {
      receiver.expected.push(content);
      this.#missing++;
      this.#send(receiver.peer().end, kind, content, prepared);
    }
  }

  #send(end: SocketConnection, kind: Kind, content: Buffer, prepared: PreparedMessage): void {
    // What is small, or masked, may be changed as soon as it is sent.
    const passed = Buffer.from(content);
    if (kind === "text") end.send(content.toString());
    else if (kind === "prepared" || kind === "to all") end.send(prepared);
    else if (kind === "bytes") end.send(passed);
    else {
      const writer = end.startMessage(true);
      writer.write(passed.subarray(0, passed.length >> 2));
      writer.end(passed.subarray(passed.length >> 2));
    }
    if (passed.length < 32 * 1024) passed.fill(0xee);
  }
}

test("whatever is sent when, by whom and from where, comes as it was sent and in order", async (context) => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60, size: "max" }), async (all) => {
      const play = await Play.begin(context);
      await play.run(all).finally(() => play.end());
    }),
    { numRuns: 50 },
  );
});
