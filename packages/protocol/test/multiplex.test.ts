import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, FrameType } from "../src/index.ts";
import { frames } from "./frames.ts";
import { bytesOf, Pair, Recorder } from "./pair.ts";

describe("a call", () => {
  test("goes there and back with metadata, messages, status, details and trailers", () => {
    const pair = new Pair();
    const record = new Recorder();
    const call = pair.client.open(
      {
        method: "pkg.Service/Method",
        metadata: { a: "1", "b-bin": ["AQI", "Aw"] },
        timeout: 1500,
        encoding: "json",
      },
      record,
    );
    call.send(bytesOf(5));
    call.halfClose();
    pair.settle();

    const [accepted] = pair.accepted;
    assert.ok(accepted);
    assert.equal(accepted.opening.method, "pkg.Service/Method");
    assert.deepEqual({ ...accepted.opening.metadata }, { a: "1", "b-bin": ["AQI", "Aw"] });
    assert.equal(accepted.opening.timeout, 1500);
    assert.equal(accepted.opening.encoding, "json");
    assert.deepEqual(accepted.record.messages, [bytesOf(5)]);
    assert.equal(accepted.record.halfCloses, 1);

    accepted.call.headers({ c: "2" });
    accepted.call.send(new Uint8Array(0));
    accepted.call.send(bytesOf(40_000));
    accepted.call.end(
      { code: Code.NOT_FOUND, message: "no ö", details: new Uint8Array([8, 5]) },
      { "d-bin": "/w" },
    );
    pair.settle();
    assert.deepEqual({ ...record.headersSeen }, { c: "2" });
    assert.deepEqual(record.messages, [new Uint8Array(0), bytesOf(40_000)]);
    assert.deepEqual(record.ends, [
      { code: Code.NOT_FOUND, message: "no ö", details: new Uint8Array([8, 5]) },
    ]);
    assert.deepEqual({ ...record.trailers }, { "d-bin": "/w" });
    assert.equal(accepted.record.ends.length, 1);
    assert.equal(pair.client.size + pair.server.size, 0);
  });

  test("with what is no name of a method ends at its client, and no other call with it", () => {
    const pair = new Pair();
    const other = new Recorder();
    pair.client.open({ method: "a/b" }, other);
    for (const method of ["", "a/b c", "ä/b", "a/b\n"]) {
      const record = new Recorder();
      pair.client.open({ method }, record);
      pair.settle();
      const message = `TypeError: ${JSON.stringify(method)} is not a name of a method`;
      assert.deepEqual(record.ends, [{ code: Code.INTERNAL, message }]);
    }
    assert.deepEqual(other.ends, []);
    assert.equal(pair.accepted.length, 1);
  });

  test("leaves in one WebSocket message with what is sent in the same tick", () => {
    const pair = new Pair();
    pair.settle();
    const before = pair.up.sent.length;
    for (let index = 0; index < 10; index++) {
      const call = pair.client.open({ method: "a/b" }, new Recorder());
      call.send(bytesOf(100));
      call.halfClose();
    }
    pair.settle();
    assert.equal(pair.up.sent.length, before + 1);
    assert.equal(pair.accepted.length, 10);
  });
});

describe("the client", () => {
  test("is told nothing before open has returned, and everything when the connection is gone", () => {
    const pair = new Pair();
    pair.client.closed(1006, "");
    const record = new Recorder();
    pair.client.open({ method: "a/b" }, record);
    assert.equal(record.ends.length, 0);
    pair.settle();
    assert.equal(record.ends[0]?.code, Code.UNAVAILABLE);
    assert.equal(record.ends[0]?.unprocessed, true);
  });

  test("ends a call whose metadata cannot be sent, and uses no number for it", () => {
    const pair = new Pair();
    const bad = ["ä", "a\nb"].map((value) =>
      pair.client.open({ method: "a/b", metadata: { a: value } }, new Recorder()),
    );
    const record = new Recorder();
    for (const metadata of [{ A: "1" }, { "": "1" }, { "a-bin": "?" }, { "a-bin": "AAAAA" }]) {
      pair.client.open({ method: "a/b", metadata }, record);
    }
    pair.client.open({ method: "a/good" }, new Recorder());
    pair.settle();
    assert.equal(bad.length, 2);
    assert.deepEqual(
      record.ends.map(({ code }) => code),
      Array(4).fill(Code.INTERNAL),
    );
    assert.deepEqual(
      pair.accepted.map(({ opening }) => opening.method),
      ["a/good"],
    );
    assert.deepEqual([pair.client.size, pair.server.size], [1, 1]);
  });

  test("ends a call once that another one cancels while both are ended", () => {
    const pair = new Pair();
    const second = new Recorder();
    const first = new (class extends Recorder {
      override end(): void {
        call.cancel();
      }
    })();
    pair.client.open({ method: "a/b" }, first);
    const call = pair.client.open({ method: "a/b" }, second);
    pair.client.close();
    pair.settle();
    assert.equal(second.ends.length, 1);
  });

  test("takes back a call that was not opened yet", () => {
    const pair = new Pair({ server: { maxCalls: 1 } });
    const [first, second, third] = Array.from({ length: 3 }, () => new Recorder());
    pair.client.open({ method: "a/first" }, first!);
    const call = pair.client.open({ method: "a/second" }, second!);
    pair.client.open({ method: "a/third" }, third!);
    pair.settle();
    call.cancel();
    assert.equal(second?.ends[0]?.code, Code.CANCELLED);
    pair.accepted[0]?.call.end({ code: Code.OK, message: "" });
    pair.settle();
    assert.deepEqual(
      pair.accepted.map(({ opening }) => opening.method),
      ["a/first", "a/third"],
    );
  });

  test("reports a message that success cut off", () => {
    const pair = new Pair();
    const record = new Recorder();
    pair.client.open({ method: "a/b" }, record);
    pair.settle();
    pair.client.receive(new Uint8Array([3, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 1, 0, 0, 0, 1, 0]));
    pair.client.receive(new Uint8Array([6, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
    assert.equal(record.ends[0]?.code, Code.INTERNAL);
  });
});

describe("the server", () => {
  test("is told once that a call was cancelled, and may not do anything any more", () => {
    const pair = new Pair();
    const record = new Recorder();
    const call = pair.client.open({ method: "a/b" }, record);
    pair.settle();
    call.cancel({ code: Code.DEADLINE_EXCEEDED, message: "late" });
    call.cancel();
    assert.equal(record.ends[0]?.code, Code.DEADLINE_EXCEEDED);
    pair.settle();
    const { record: other, call: accepted } = pair.accepted[0]!;
    assert.deepEqual(
      other.ends.map(({ code }) => code),
      [Code.CANCELLED],
    );
    const before = pair.down.sent.length;
    accepted.headers({});
    assert.equal(accepted.send(bytesOf(1)), false);
    accepted.end({ code: Code.OK, message: "" });
    pair.settle();
    assert.equal(pair.down.sent.length, before);
    assert.equal(record.ends.length + other.ends.length, 2);
  });

  test("sends one status, whatever it says after it", () => {
    const pair = new Pair();
    const record = new Recorder();
    pair.client.open({ method: "a/b" }, record);
    pair.settle();
    const { call } = pair.accepted[0]!;
    for (const code of [Code.NOT_FOUND, Code.OK]) call.end({ code, message: "" });
    assert.equal(call.send(bytesOf(1)), false);
    pair.settle();
    call.end({ code: Code.OK, message: "" });
    pair.settle();
    assert.deepEqual(record.ends, [{ code: Code.NOT_FOUND, message: "" }]);
    const types = frames(...pair.down.sent).map(({ type }) => type);
    assert.deepEqual(types, [FrameType.HELLO, FrameType.STATUS]);
  });

  test("may refuse a call while it is asked", () => {
    const pair = new Pair({
      accept: ({ call, record }) => {
        call.end({ code: Code.UNIMPLEMENTED, message: "no such method" });
        assert.deepEqual(record.ends, []);
        return record;
      },
    });
    const record = new Recorder();
    pair.client.open({ method: "a/b" }, record);
    pair.settle();
    assert.deepEqual(record.ends, [{ code: Code.UNIMPLEMENTED, message: "no such method" }]);
    assert.equal(pair.accepted[0]?.record.ends.length, 1);
  });

  test("may close the connection while it is asked", () => {
    const pair: Pair = new Pair({
      accept: ({ record }) => {
        pair.server.close(1001, "enough");
        return record;
      },
    });
    pair.client.open({ method: "a/b" }, new Recorder());
    pair.settle();
    assert.equal(pair.accepted[0]?.record.ends.length, 1);
  });

  test("cuts the reason of a close to what a close frame holds", () => {
    const pair = new Pair();
    pair.server.close(1001, "ä".repeat(100));
    assert.equal(pair.down.closing?.reason, "ä".repeat(61));
  });
});

describe("a lost connection", () => {
  const cases = [
    [1000, Code.UNAVAILABLE],
    [1001, Code.UNAVAILABLE],
    [1006, Code.UNAVAILABLE],
    [1011, Code.UNAVAILABLE],
    [4400, Code.INTERNAL],
    [4408, Code.UNAVAILABLE],
    [4413, Code.INTERNAL],
    [4420, Code.INTERNAL],
    [4429, Code.RESOURCE_EXHAUSTED],
  ] as const;
  for (const [closeCode, code] of cases) {
    test(`with the close code ${closeCode} ends calls with ${code}, on both sides`, () => {
      const pair = new Pair();
      const record = new Recorder();
      pair.client.open({ method: "a/b" }, record);
      pair.settle();
      pair.client.closed(closeCode, "");
      pair.server.closed(closeCode, "");
      assert.deepEqual(
        record.ends.map((end) => [end.code, end.unprocessed]),
        [[code, undefined]],
      );
      assert.deepEqual(
        pair.accepted[0]?.record.ends.map((end) => end.code),
        [code],
      );
    });
  }
});
