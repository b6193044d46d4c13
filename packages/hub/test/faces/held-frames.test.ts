import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { HeldFrames } from "../../src/faces/session-wire/held-frames.ts";
import { SessionFrame } from "../../src/faces/session-wire/session-frame.ts";
import { type Drop, Publication } from "../../src/index.ts";

/** What can happen: a join is asked or answered, or something of a room is to be sent. */
type Step = { readonly step: "join" | "answer" | "send"; readonly room: string };

const room = fc.constantFrom("a", "b", "c");
const steps = fc.array(
  fc.record({ step: fc.constantFrom("join" as const, "answer" as const, "send" as const), room }),
  { maxLength: 60 },
);

/** Plays the steps, and says what went out in which order: `answer a`, or a number for the delivery. */
function play(all: readonly Step[]): {
  readonly out: string[];
  readonly held: HeldFrames;
  readonly sent: string[];
} {
  const held = new HeldFrames();
  const out: string[] = [];
  const sent: string[] = [];
  const numbers = new Map<SessionFrame | Drop, string>();
  const joining = new Set<string>();
  const release = (each: SessionFrame | Drop): number => out.push(numbers.get(each)!);
  const answer = (of: string): void => {
    out.push(`answer ${of}`);
    joining.delete(of);
    held.answered(of, release);
  };
  for (const { step, room: of } of all) {
    if (step === "join" && !joining.has(of)) {
      joining.add(of);
      held.joining(of);
    } else if (step === "answer" && joining.has(of)) answer(of);
    else if (step === "send") {
      const frame = SessionFrame.fromPublication(
        new Publication({ room: of, message: { data: String(sent.length) }, publishedAt: 0 }),
      );
      const name = `${sent.length} ${of}${joining.has(of) ? " joining" : ""}`;
      numbers.set(frame, name);
      sent.push(name);
      if (!held.holds(frame)) release(frame);
    }
  }
  for (const of of joining) answer(of);
  return { out, held, sent };
}

describe("frames that are held for the answer to a join", () => {
  test("go out in their order, none before the answer of its room, and all in the end", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { out, held, sent } = play(all);
        assert.deepEqual(
          out.filter((each) => !each.startsWith("answer")),
          sent,
        );
        assert.equal(held.bytes, 0);
        assert.ok(held.isEmpty);
        for (const [index, each] of out.entries()) {
          if (!each.endsWith("joining")) continue;
          const answer = `answer ${each.split(" ")[1]}`;
          assert.ok(out.slice(0, index).includes(answer), `${each} before ${answer}: ${out.join(", ")}`);
        }
      }),
    );
  });

  test("count their bytes", () => {
    const held = new HeldFrames();
    held.joining("a");
    const frame = SessionFrame.fromPublication(
      new Publication({ room: "a", message: { data: "x".repeat(100) }, publishedAt: 0 }),
    );
    assert.ok(held.holds(frame));
    assert.ok(held.holds({ reason: "slow", room: "", count: 1 }));
    assert.equal(held.bytes, frame.bytes);
    const released: unknown[] = [];
    held.answered("a", (each) => released.push(each));
    assert.equal(released.length, 2);
    assert.equal(held.bytes, 0);
  });
});
