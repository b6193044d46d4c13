import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { describe, test } from "node:test";
import { Hub, type Answer } from "@sluice/hub";
import { FakeClock } from "@sluice/testkit/fake-clock";
import * as fc from "fast-check";
import { bindSessions } from "../../src/sessions/bind-sessions.ts";
import { SessionCallbacks } from "../../src/sessions/callbacks/session-callbacks.ts";
import { FakeClient } from "./fake-client.ts";
import { LossyBackend, type Fate } from "./lossy-backend.ts";

const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>("answered") },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Fate>("unseen", "answer lost", "late", "refused", "denied", "failed"),
  },
);
const step = fc.oneof(
  fc.record({ act: fc.constant("connect" as const) }),
  fc.record({ act: fc.constantFrom("say" as const, "leave" as const, "return" as const), who: fc.nat() }),
  fc.record({ act: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 6_000 }) }),
);

/** One client, and what its messages came to. */
interface Person {
  client: FakeClient;
  readonly resume: { readonly key: string; readonly received: number };
  readonly said: (Answer | undefined)[];
}

async function settle(): Promise<void> {
  for (let count = 0; count < 6; count++) await turn();
}

/** Lets time pass, but never so much that an answer on its way comes too late by that. */
async function pass(clock: FakeClock, milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 1_000) {
    clock.advance(Math.min(1_000, left));
    await settle();
  }
}

for (const streams of [0, 2]) {
  describe(`whatever becomes of callbacks ${streams === 0 ? "in calls" : "on streams"}`, () => {
    test("each Connect is matched by one Disconnect, each message answered once, none processed twice", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 25 }),
          fc.array(fate, { maxLength: 60 }),
          fc.constantFrom("deny" as const, "ignore" as const),
          async (steps, fates, connect) => {
            const clock = new FakeClock();
            const left = [...fates];
            let isHealed = false;
            const backend = new LossyBackend((hook) => {
              const next = isHealed ? "answered" : (left.shift() ?? "answered");
              // The one that is told to be denied is let in by its Disconnect.
              return next === "denied" && hook !== "connect" ? "refused" : next;
            });
            const givenUp: string[] = [];
            const callbacks = new SessionCallbacks({
              backend,
              hooks: ["connect", "message", "disconnect", "resume"],
              onFailure: { connect },
              streams,
              clock,
              random: () => 0.5,
              breaker: { failures: 3 },
              report: (report) => {
                if (report.kind === "given_up") givenUp.push(report.session.id);
              },
            });
            const hub = new Hub({ clock, graceMs: 2_000, admit: (session) => callbacks.admit(session) });
            bindSessions(hub, { callbacks });
            const people: Person[] = [];
            for (const { act, ...rest } of steps) {
              const person = "who" in rest ? people[rest.who % Math.max(1, people.length)] : undefined;
              if (act === "connect") {
                const resume = { key: `key-${people.length}`.padEnd(22, "-"), received: 0 };
                const client = new FakeClient();
                people.push({ client, resume, said: [] });
                void client.connect(hub, { resume });
              } else if (act === "wait" && "ms" in rest) await pass(clock, rest.ms);
              else if (act === "leave") person?.client.leave();
              else if (act === "return" && person !== undefined) {
                person.client = new FakeClient();
                void person.client.connect(hub, { resume: person.resume });
              } else if (person?.client.session.phase === "connected") {
                const at = person.said.push(undefined) - 1;
                const before = person.said.length;
                void person.client.say("hello").then((answer) => {
                  assert.equal(person.said[at], undefined);
                  person.said[at] = answer;
                  assert.ok(person.said.length >= before);
                });
              }
              await settle();
            }
            isHealed = true;
            void hub.close();
            await pass(clock, 60_000);
            callbacks.close();

            for (const { said } of people) assert.ok(said.every((answer) => answer !== undefined));
            const sessions = new Set(backend.seen.map(({ session }) => session));
            for (const session of sessions) {
              const seen = backend.seen.filter((each) => each.session === session);
              const isDenied = seen.some(({ hook, fate: of }) => hook === "connect" && of === "denied");
              const ends = seen.filter(({ hook, fate: of }) => hook === "disconnect" && of === "answered");
              const gaveUp = givenUp.filter((id) => id === session).length;
              assert.equal(ends.length + gaveUp, isDenied ? 0 : 1, JSON.stringify(seen.map(show)));
              assert.equal(seen[0]?.hook === "connect" || connect === "ignore", true);
              const lastOther = seen.findLastIndex(({ hook }) => hook !== "disconnect");
              const firstEnd = seen.findIndex(({ hook }) => hook === "disconnect");
              assert.ok(firstEnd < 0 || lastOther < firstEnd, "nothing comes after the Disconnect");
              const sequences = seen.flatMap(({ hook, sequence }) => (hook === "message" ? [sequence] : []));
              assert.ok(
                sequences.every((sequence, index) => index === 0 || sequence > (sequences[index - 1] ?? 0n)),
                "messages come in order, and none twice",
              );
            }
          },
        ),
        { numRuns: 150, includeErrorInReport: true },
      );
    });
  });
}

function show({ hook, sequence, fate: of }: { hook: string; sequence: bigint; fate: string }): string {
  return `${hook}${sequence} ${of}`;
}
