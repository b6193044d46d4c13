import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { beforeEach, describe, test } from "node:test";
import { IdentityLease } from "../src/identity/identity-lease.ts";
import type { Identity } from "../src/identity/identity.ts";
import { failsWith, FakeWallClock, start } from "./identity-support.ts";

const day = 86_400_000;
const identity = (expiresAt?: number, user = "ada"): Identity => ({
  user,
  claims: { sub: user },
  ...(expiresAt === undefined ? {} : { expiresAt }),
});

let clock: FakeWallClock;
let told: number[];
const lease = (of: Identity): IdentityLease =>
  new IdentityLease(of, () => told.push(clock.now() - start), clock);
beforeEach(() => {
  clock = new FakeWallClock();
  told = [];
});

describe("a lease of an identity", () => {
  for (const left of [1, 59_999, 3_600_000, 3_600_001, 24.9 * day, 2 ** 31, 400 * day]) {
    test(`of ${left} ms tells then, once`, () => {
      lease(identity(start + left));
      clock.advance(left - 1);
      assert.deepEqual(told, []);
      clock.advance(1);
      assert.deepEqual(told, [left]);
      clock.advance(day);
      assert.deepEqual(told, [left]);
      assert.deepEqual(clock.pending, []);
    });
  }

  test("waits an hour at most in one timer", () => {
    lease(identity(start + 400 * day));
    assert.deepEqual(clock.pending, [3_600_000]);
    lease(identity(8_640_000_000_000_000));
    clock.advance(3_600_000);
    assert.deepEqual(clock.pending, [3_600_000, 3_600_000]);
  });

  test("of an identity that has expired tells at once, but after the constructor", () => {
    for (const at of [start, start - 1, 0]) {
      lease(identity(at));
      assert.deepEqual(told, []);
      clock.advance(0);
      assert.deepEqual(told.splice(0), [0]);
    }
  });

  test("of an identity without an end has no timer", () => {
    const { identity: held } = lease(identity());
    assert.deepEqual(held, identity());
    assert.deepEqual(clock.pending, []);
  });

  test("notices that the clock of the machine was set", () => {
    lease(identity(start + day));
    clock.set(start + 2 * day);
    clock.advance(3_600_000);
    assert.deepEqual(told, [2 * day + 3_600_000]);
  });

  test("tells nothing before its time because the clock was set back", () => {
    lease(identity(start + 1000));
    clock.set(start - 5000);
    clock.advance(1000);
    assert.deepEqual(told, []);
    clock.advance(5000);
    assert.deepEqual(told, [1000]);
  });

  test("goes on when it is refreshed, until the newer end", () => {
    const held = lease(identity(start + 1000));
    clock.advance(999);
    held.refresh(identity(start + 5000));
    assert.deepEqual(held.identity, identity(start + 5000));
    assert.deepEqual(clock.pending, [4001]);
    clock.advance(4000);
    assert.deepEqual(told, []);
    clock.advance(1);
    assert.deepEqual(told, [5000]);
  });

  test("has no end any more when it is refreshed with an identity without one", () => {
    const held = lease(identity(start + 1000));
    held.refresh(identity());
    assert.deepEqual(clock.pending, []);
    held.refresh(identity(start + 2000));
    assert.deepEqual(clock.pending, [2000]);
  });

  test("is not refreshed by another user, and stays as it was", () => {
    const held = lease(identity(start + 1000));
    assert.throws(() => held.refresh(identity(start + 5000, "eve")), failsWith("user_changed"));
    assert.deepEqual(held.identity, identity(start + 1000));
    clock.advance(1000);
    assert.deepEqual(told, [1000]);
  });

  test("is not refreshed after it was told", () => {
    const held = lease(identity(start + 1000));
    clock.advance(1000);
    assert.throws(() => held.refresh(identity(start + 5000)), failsWith("expired"));
    assert.deepEqual(clock.pending, []);
  });

  test("tells nothing after its end, and cannot be refreshed", () => {
    const held = lease(identity(start + 1000));
    held.end();
    held.end();
    held.refresh(identity(start + 5000));
    held.refresh(identity(start + 5000, "eve"));
    assert.deepEqual(clock.pending, []);
    assert.deepEqual(held.identity, identity(start + 1000));
    clock.advance(day);
    assert.deepEqual(told, []);
  });

  test("may be ended by who is told", () => {
    const held: IdentityLease = new IdentityLease(
      identity(start + 1000),
      () => {
        told.push(1);
        held.end();
      },
      clock,
    );
    clock.advance(1000);
    assert.deepEqual(told, [1]);
  });

  test("takes the clock of the machine by default", async () => {
    const events = new EventEmitter();
    // The lease keeps no process alive.
    const awake = setTimeout(() => undefined, 60_000);
    const expired = once(events, "expired");
    void new IdentityLease(identity(Date.now() + 5), () => events.emit("expired"));
    await expired;
    clearTimeout(awake);
  });
});
