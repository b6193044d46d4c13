import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Answer } from "@sluice/hub";
import { deferred, eventually, setScene, type Scene } from "./support.ts";

/** Lets the clock of the callbacks run with that of the machine until something has come true. */
async function waiting(scene: Scene, condition: () => boolean): Promise<void> {
  let last = performance.now();
  await eventually(() => {
    const now = performance.now();
    scene.clock.advance(now - last);
    last = now;
    return condition();
  });
}

for (const streams of [0, 2]) {
  describe(`a backend that dies, called ${streams === 0 ? "in calls" : "on streams"}`, () => {
    test("closes no session, and is given what waits when it is back", async (context) => {
      const scene = await setScene(context, {
        streams,
        waitMs: 1_000_000,
        hooks: ["connect", "message", "disconnect"],
      });
      const clients = await Promise.all(Array.from({ length: 20 }, () => scene.client()));
      await Promise.all(clients.map((client) => client.say("before")));
      await scene.backend.kill();
      await eventually(() => scene.upstream.state().kind !== "ready");
      const answers = clients.flatMap((client) => [client.say("1"), client.say("2"), client.say("3")]);
      await waiting(scene, () => scene.callbacks.counts.breaker === "open");
      for (const client of clients.slice(0, 5)) client.leave(1001, true);
      assert.ok(clients.slice(5).every(({ session }) => session.phase === "connected"));
      await scene.backend.start();
      let isOver = false;
      const all = Promise.all(answers).then((each) => {
        isOver = true;
        return each;
      });
      await waiting(scene, () => isOver);
      assert.ok((await all).every(({ ok }) => ok));
      await waiting(scene, () => scene.backend.of("disconnect").length === 5);
      const { outages, queuedBytes, called, failed } = scene.callbacks.counts;
      assert.deepEqual([outages, queuedBytes], [1, 0]);
      assert.deepEqual(called, { connect: 20, message: 80, disconnect: 5, resume: 0 });
      assert.deepEqual(failed, { connect: 0, message: 0, disconnect: 0, resume: 0 });
      const kinds = scene.reports.map(({ kind }) => kind);
      assert.deepEqual([kinds.includes("away"), kinds.at(-1)], [true, "back"]);
      const perSession = new Map<string, bigint[]>();
      for (const { session, sequence } of scene.backend.of("message")) {
        const id = session?.id ?? "";
        perSession.set(id, [...(perSession.get(id) ?? []), sequence]);
      }
      for (const { session } of clients) assert.deepEqual(perSession.get(session.id), [1n, 2n, 3n, 4n]);
    });

    test("has messages refused that cannot wait longer, and never closes their sessions", async (context) => {
      const scene = await setScene(context, { streams, waitMs: 500, hooks: ["message"] });
      const client = await scene.client();
      await client.say("before");
      await scene.backend.kill();
      await eventually(() => scene.upstream.state().kind !== "ready");
      const answers: Answer[] = [];
      for (const text of ["1", "2", "3"]) void client.say(text).then((answer) => answers.push(answer));
      await waiting(scene, () => answers.length === 3);
      for (const answer of answers) {
        assert.ok(!answer.ok);
        assert.deepEqual(
          [answer.code, answer.message],
          ["UNAVAILABLE", "the backend is away; try again later"],
        );
      }
      assert.equal(client.session.phase, "connected");
      await scene.backend.start();
      let after: Answer | undefined;
      void client.say("4").then((answer) => (after = answer));
      await waiting(scene, () => after !== undefined);
      assert.equal(after?.ok, true);
    });

    test("refuses a message that it had and did not answer, and is not given it twice", async (context) => {
      const never = deferred();
      const scene = await setScene(context, {
        streams,
        script: { message: () => never.promise.then(() => ({})) },
      });
      const client = await scene.client();
      const said = client.say("pay 10");
      await eventually(() => scene.backend.of("message").length === 1);
      await scene.backend.kill();
      const answer = await said;
      assert.ok(!answer.ok);
      assert.equal(answer.code, "UNAVAILABLE");
      await scene.backend.start();
      assert.equal(scene.backend.of("message").length, 1);
    });

    test("lets nobody in who has come meanwhile, unless a failure is to be ignored", async (context) => {
      for (const connect of ["deny", "ignore"] as const) {
        const scene = await setScene(context, { streams, connectWaitMs: 300, onFailure: { connect } });
        await scene.backend.kill();
        let isOver = false;
        const connecting = scene.client().finally(() => (isOver = true));
        await waiting(scene, () => isOver);
        const { closed } = await connecting;
        const refusal = { code: 1013, reason: "the backend is away; try again later" };
        assert.deepEqual(closed, connect === "deny" ? refusal : undefined);
      }
    });

    test("is waited for no longer than the deadline when it is only slow", async (context) => {
      const never = deferred();
      const scene = await setScene(context, {
        streams,
        deadlineMs: 300,
        script: { message: ({ sequence }) => (sequence === 1n ? never.promise.then(() => ({})) : {}) },
      });
      const client = await scene.client();
      let slow: Answer | undefined;
      void client.say("slow").then((answer) => (slow = answer));
      await waiting(scene, () => slow !== undefined);
      assert.ok(slow?.ok === false);
      assert.deepEqual(
        [slow.code, slow.message],
        ["DEADLINE_EXCEEDED", "the backend did not answer in time"],
      );
      assert.deepEqual(await client.say("quick"), { ok: true });
      never.resolve();
    });
  });
}

describe("a stream of events", () => {
  test("is answered in any order", async (context) => {
    const gates = [deferred(), deferred(), deferred()];
    const scene = await setScene(context, {
      streams: 1,
      hooks: ["message"],
      script: {
        message: async ({ payload }) => {
          await gates[Number(payload?.data.value)]?.promise;
          return payload === undefined ? {} : { reply: payload };
        },
      },
    });
    const order: string[] = [];
    const clients = await Promise.all(gates.map(() => scene.client()));
    const answers = clients.map(async (client, index) => {
      const answer = await client.say(String(index));
      order.push(answer.ok ? String(answer.reply?.data) : answer.code);
    });
    await eventually(() => scene.backend.of("message").length === 3);
    for (const index of [2, 0, 1]) {
      gates[index]?.resolve();
      await answers[index];
    }
    await Promise.all(answers);
    assert.deepEqual([order, scene.backend.streams], [["2", "0", "1"], 1]);
  });

  test("that is answered with something that nobody asked harms none", async (context) => {
    const scene = await setScene(context, { streams: 1, hooks: ["message"] });
    scene.backend.beforeAnswer = (call) => {
      call.write({ id: 4_000_000_000, answer: { case: "message", value: {} } });
      call.write({ id: 0, answer: { case: undefined } });
    };
    const client = await scene.client();
    assert.deepEqual(await client.say("hello"), { ok: true });
    assert.deepEqual(
      scene.reports.map((report) => report.kind === "stray" && report.problem),
      [4_000_000_000, 0].map((id) => `the backend answered the event ${id}, for which nobody waits`),
    );
  });

  test("that is answered with another hook's answer fails that event alone", async (context) => {
    const scene = await setScene(context, { streams: 1, hooks: ["message"] });
    scene.backend.beforeAnswer = (call, id) => {
      if (id === 1) call.write({ id, answer: { case: "connect", value: {} } });
    };
    const client = await scene.client();
    const wrong = await client.say("hello");
    assert.ok(!wrong.ok);
    assert.equal(wrong.code, "INTERNAL");
    assert.deepEqual(await client.say("again"), { ok: true });
  });

  test("that a backend ends is opened again for what comes next", async (context) => {
    const scene = await setScene(context, { streams: 1, hooks: ["message"] });
    const client = await scene.client();
    await client.say("one");
    scene.backend.endStreams();
    await eventually(() => scene.upstream.counters().openCalls === 0);
    let answer: Answer | undefined;
    void client.say("two").then((each) => (answer = each));
    await waiting(scene, () => answer !== undefined);
    assert.equal(answer?.ok, true);
    assert.equal(scene.backend.streams, 2);
  });

  test("of a backend without one says so", async (context) => {
    const scene = await setScene(context, { streams: 1, hooks: ["message"], without: ["Stream"] });
    const answer = await (await scene.client()).say("hello");
    assert.ok(!answer.ok);
    assert.deepEqual([answer.code, answer.message], ["UNIMPLEMENTED", "the backend does not take this"]);
  });

  test("stays within the room that the backend gives", async (context) => {
    const scene = await setScene(context, {
      streams: 1,
      hooks: ["message"],
      hub: { limits: { messageBytes: 1_000_000 } },
    });
    scene.backend.isReading = false;
    const clients = await Promise.all(Array.from({ length: 30 }, () => scene.client()));
    const big = "x".repeat(100_000);
    const answers = clients.map((client) => client.say(big));
    await eventually(() => scene.backend.streams === 1);
    assert.ok(scene.backend.of("message").length < 30);
    scene.backend.isReading = true;
    assert.ok((await Promise.all(answers)).every(({ ok }) => ok));
  });
});
