import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger } from "./ledger.ts";

const last = new Map([["a", "push:3"]]);

/** A room with three publications, and a member that was given all of them. */
function createLedger(): Ledger {
  const ledger = new Ledger();
  const stint = ledger.begin("Ann", "a");
  for (const [offset, id] of [
    [1, "push:1"],
    [2, "push:2"],
    [3, "push:3"],
  ] as const) {
    ledger.sent(id);
    ledger.told(id, "taken");
    ledger.received(stint, id, offset);
  }
  return ledger;
}

test("a ledger in which all is well has no problem", () => {
  const ledger = createLedger();
  const late = ledger.begin("Ben", "a");
  ledger.received(late, "push:3");
  const slow = ledger.begin("Cleo", "a");
  ledger.received(slow, "push:1");
  slow.gap(1);
  ledger.received(slow, "push:3");
  ledger.sent("Ann:1");
  ledger.told("Ann:1", "refused");
  ledger.sent("Ann:2");
  assert.deepEqual(ledger.problems(last), []);
  assert.deepEqual(ledger.counts, {
    publications: 3,
    receipts: 6,
    taken: 3,
    refused: 1,
    unknown: 1,
    stints: 3,
    gaps: 1,
  });
});

const wrongs: readonly (readonly [string, (ledger: Ledger) => void, RegExp])[] = [
  [
    "a lost publication",
    (ledger) => {
      const stint = ledger.begin("Ben", "a");
      ledger.received(stint, "push:1");
      ledger.received(stint, "push:3");
    },
    /Ben in a: push:3 at 3 after 1: lost before it/,
  ],
  [
    "a lost end",
    (ledger) => ledger.received(ledger.begin("Ben", "a"), "push:2"),
    /Ben in a was not given the last publication/,
  ],
  [
    "a doubled publication",
    (ledger) => {
      const stint = ledger.begin("Ben", "a");
      ledger.received(stint, "push:3");
      ledger.received(stint, "push:3");
    },
    /push:3 at 3 after 3: doubled/,
  ],
  [
    "a gap that is longer than was told",
    (ledger) => {
      const stint = ledger.begin("Ben", "a");
      stint.isOpen = false;
      ledger.received(stint, "push:1");
      stint.gap(1);
      ledger.sent("Ann:1");
      ledger.received(stint, "Ann:1", 4);
    },
    /Ann:1 at 4 after 1: lost before it/,
  ],
  [
    "a message that was taken and never published",
    (ledger) => {
      ledger.sent("Ann:1");
      ledger.told("Ann:1", "taken");
    },
    /Ann:1 was taken, and came to nobody/,
  ],
  [
    "a message that was refused and published",
    (ledger) => {
      ledger.sent("Ann:1");
      ledger.told("Ann:1", "refused");
      const stint = ledger.begin("Ben", "a");
      stint.isOpen = false;
      ledger.received(stint, "Ann:1", 4);
    },
    /Ann:1 was refused, and was published all the same/,
  ],
  [
    "messages of one sender in another order",
    (ledger) => {
      const stint = ledger.begin("Ben", "a");
      stint.isOpen = false;
      for (const [offset, id] of [
        [4, "Ann:2"],
        [5, "Ann:1"],
      ] as const) {
        ledger.sent(id);
        ledger.received(stint, id, offset);
      }
    },
    /of Ann in a, 1 stands behind 2/,
  ],
  [
    "two publications at one place",
    (ledger) => {
      const stint = ledger.begin("Ben", "a");
      stint.isOpen = false;
      ledger.sent("Ann:1");
      ledger.received(stint, "Ann:1", 3);
    },
    /Ann:1 and push:3 are both at a 3/,
  ],
  [
    "a publication from nowhere",
    (ledger) => {
      const stint = ledger.begin("Ben", "a");
      stint.isOpen = false;
      ledger.received(stint, "Ann:9", 4);
    },
    /Ben was given Ann:9, which nobody has sent/,
  ],
];

for (const [what, spoil, sentence] of wrongs) {
  test(`a ledger finds ${what}`, () => {
    const ledger = createLedger();
    spoil(ledger);
    const problems = ledger.problems(last);
    assert.match(problems.join("\n"), sentence);
  });
}
