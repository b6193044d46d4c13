import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settled } from "@sluice/testkit/fake-clock";
import * as fc from "fast-check";
import { Model, type ModelOptions } from "./support/model.ts";

const which = fc.nat(4);
const room = fc.constantFrom("c", "o", "l");
const few = fc.nat(4);

/** One step, with its name. */
type Step = readonly [run: (model: Model) => void | Promise<void>, name: string];

function step<Args extends unknown[]>(
  name: string,
  args: { [Index in keyof Args]: fc.Arbitrary<Args[Index]> },
  run: (model: Model, ...args: Args) => void | Promise<void>,
): fc.Arbitrary<Step> {
  return fc
    .tuple(...args)
    .map((values): Step => [(model) => run(model, ...(values as Args)), `${name}(${values.join(", ")})`]);
}

const settle: Step = [settled, "settle()"];

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: step("attach", [which], (model, client) => model.attach(client)) },
    { weight: 4, arbitrary: step("join", [which, room], (model, ...args) => model.join(...args)) },
    { weight: 1, arbitrary: step("leave", [which, room], (model, ...args) => model.leave(...args)) },
    {
      weight: 12,
      arbitrary: step("publish", [room, fc.option(which, { freq: 5, nil: undefined })], (model, ...args) =>
        model.publish(...args),
      ),
    },
    { weight: 3, arbitrary: step("send", [which], (model, client) => model.send(client)) },
    { weight: 2, arbitrary: step("slow", [which, few], (model, ...args) => model.slow(...args)) },
    { weight: 2, arbitrary: step("drain", [which, few], (model, ...args) => model.drain(...args)) },
    { weight: 2, arbitrary: step("acknowledge", [which], (model, client) => model.acknowledge(client)) },
    {
      weight: 3,
      arbitrary: step("lose", [which, few, fc.constantFrom(false, false, false, true)], (model, ...args) =>
        model.lose(...args),
      ),
    },
    { weight: 1, arbitrary: step("close", [which], (model, client) => model.close(client)) },
    {
      weight: 1,
      arbitrary: step("pass", [fc.nat(15_000)], (model, milliseconds) => model.pass(milliseconds)),
    },
    {
      weight: 8,
      arbitrary: step("arrive", [few, fc.constantFrom(false, false, true)], (model, ...args) =>
        model.arrive(...args),
      ),
    },
    { weight: 2, arbitrary: step("hold", [], (model) => model.hold()) },
    { weight: 2, arbitrary: step("release", [], (model) => model.release()) },
    { weight: 1, arbitrary: step("interrupt", [], (model) => model.interrupt()) },
    { weight: 10, arbitrary: fc.constant(settle) },
  ),
  { maxLength: 120, size: "max" },
);

async function follow(options: ModelOptions, done: readonly Step[]): Promise<void> {
  const model = new Model(options);
  const running: Promise<unknown>[] = [];
  for (const [run] of done) {
    const result = run(model);
    if (run === settled) await result;
    else running.push(Promise.resolve(result).catch((error: unknown) => error));
  }
  await model.finish();
  for (const error of await Promise.all(running)) assert.ifError(error);
}

describe("whatever clients, the application and the broker do", { timeout: 240_000 }, () => {
  for (const [what, options, numRuns] of [
    ["with a broker in memory", { isUnreliable: false, historySize: 1000 }, 300],
    ["with a broker that is late and loses what it keeps", { isUnreliable: true, historySize: 1000 }, 300],
    ["with a broker that loses more than it keeps", { isUnreliable: true, historySize: 5 }, 200],
  ] as const) {
    test(`each session is given everything once and in order, or is told, ${what}`, async () => {
      await fc.assert(
        fc.asyncProperty(steps, (done) => follow(options, done)),
        { numRuns },
      );
    });
  }
});
