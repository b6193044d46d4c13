import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import type { SetIdentitySchema } from "../../src/sessions/generated/sluice/session/v1/session_pb.ts";
import { FakeClient } from "./fake-client.ts";
import { deferred, eventually, setScene, type Scene } from "./support.ts";

type IdentityInit = MessageInitShape<typeof SetIdentitySchema>;

const expired = { code: 4401, reason: "the identity has expired" };
const setIdentity = (value: IdentityInit) => ({ effect: { case: "setIdentity" as const, value } });

/** So many milliseconds from now, by the clock of a scene. */
function inMs(scene: Scene, milliseconds: number): Timestamp {
  return timestampFromMs(scene.clock.date() + milliseconds);
}

for (const streams of [0, 1]) {
  describe(`an identity that the backend says ends, ${streams === 0 ? "in calls" : "on streams"},`, () => {
    test("ends its session with 4401, and the backend is told", async (context) => {
      const scene = await setScene(context, {
        streams,
        script: { connect: () => ({ identity: { user: "ada", expiresAt: inMs(scene, 10_000) } }) },
      });
      const client = await scene.client();
      scene.clock.advance(9_999);
      assert.equal(client.session.phase, "connected");
      scene.clock.advance(1);
      assert.deepEqual(client.closed, expired);
      await eventually(() => scene.backend.of("disconnect").length === 1);
      const [told] = scene.backend.of("disconnect");
      assert.deepEqual([told?.code, told?.reason, told?.session?.user], [4401, expired.reason, "ada"]);
    });
  });
}

describe("the end of an identity", () => {
  test("is what the backend has said last", async (context) => {
    const ends: (Timestamp | undefined)[] = [];
    const scene = await setScene(context, {
      script: {
        connect: () => ({
          identity: { user: "ada", expiresAt: inMs(scene, 1_000) },
          effects: [setIdentity({ user: "eve", expiresAt: inMs(scene, 10) })],
        }),
        message: () => {
          const expiresAt = ends.shift();
          return {
            effects: [setIdentity({ user: "ada", ...(expiresAt === undefined ? {} : { expiresAt }) })],
          };
        },
      },
    });
    const client = await scene.client();
    scene.clock.advance(500);
    ends.push(inMs(scene, 5_000), undefined, inMs(scene, 2_000));
    await client.say("longer");
    scene.clock.advance(4_999);
    await client.say("for ever");
    scene.clock.advance(100_000_000);
    assert.equal(client.session.phase, "connected");
    ends[0] = inMs(scene, 2_000);
    await client.say("shorter");
    scene.clock.advance(1_999);
    assert.equal(client.session.phase, "connected");
    scene.clock.advance(1);
    assert.deepEqual(client.closed, expired);
  });

  test("may have been before, and may be beyond all time", async (context) => {
    let expiresAt = timestampFromMs(0);
    const scene = await setScene(context, {
      script: { connect: () => ({ identity: { user: "ada", expiresAt } }) },
    });
    const late = await scene.client();
    scene.clock.advance(0);
    assert.deepEqual(late.closed, expired);
    expiresAt = { ...expiresAt, seconds: 2n ** 62n, nanos: 999_999_999 };
    const early = await scene.client();
    scene.clock.advance(100_000_000);
    assert.equal(early.session.phase, "connected");
  });

  test("is that of a session whose client is away, too", async (context) => {
    const scene = await setScene(context, {
      hub: { graceMs: 60_000 },
      script: { connect: () => ({ identity: { user: "ada", expiresAt: inMs(scene, 10_000) } }) },
    });
    const client = await scene.client({ resume: { key: "k".repeat(22), received: 0 } });
    client.leave();
    assert.equal(client.session.phase, "away");
    scene.clock.advance(10_000);
    assert.equal(client.session.phase, "closed");
    await eventually(() => scene.backend.of("disconnect").length === 1);
    assert.equal(scene.backend.of("disconnect")[0]?.code, 4401);
  });

  test("leaves no timer behind a session that ends before, or has ended before the backend says it", async (context) => {
    const gate = deferred();
    const scene = await setScene(context, {
      script: {
        connect: async ({ session }) => {
          if (session?.query["late"] !== undefined) await gate.promise;
          return { identity: { user: "ada", expiresAt: inMs(scene, 10_000) } };
        },
      },
    });
    const client = await scene.client();
    assert.equal(scene.clock.pending.includes(10_000), true);
    client.leave(1000, true);
    const late = new FakeClient();
    const decided = late.connect(scene.hub, { query: "late=1" });
    await eventually(() => scene.backend.of("connect").length === 2);
    late.leave();
    gate.resolve();
    await decided;
    await eventually(() => scene.backend.of("disconnect").length === 2);
    assert.equal(scene.clock.pending.includes(10_000), false);
  });
});
