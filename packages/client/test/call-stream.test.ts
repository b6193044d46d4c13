import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { Code, type Metadata } from "@sluice/protocol";
import { FakeClock, settled } from "@sluice/testkit/fake-clock";
import * as fc from "fast-check";
import { CallError, Connection } from "../src/index.ts";
import { CallStream } from "../src/call-stream.ts";
import { headersFromMetadata } from "../src/headers.ts";
import { MemoryGateway, type TakenCall } from "./support/memory-gateway.ts";
import { bytes } from "./support/recorder.ts";
import { Source } from "./support/source.ts";

const text = (message: Uint8Array | undefined): string | undefined =>
  message === undefined ? undefined : new TextDecoder().decode(message);

/** A call on a connection of its own, and its other end. */
async function open(signal?: AbortSignal): Promise<{
  stream: CallStream;
  taken: TakenCall;
  gateway: MemoryGateway;
  connection: Connection;
}> {
  const gateway = new MemoryGateway();
  const clock = new FakeClock();
  const connection = new Connection({ url: "ws://a", webSocket: gateway.webSocket, clock });
  const stream = new CallStream(connection, { method: "a.B/C" }, signal);
  await settled();
  const [taken] = gateway.calls;
  assert.ok(taken !== undefined);
  return { stream, taken, gateway, connection };
}

describe("what comes", () => {
  test("is given in order, then the end, with headers and trailers", async () => {
    const { stream, taken } = await open();
    const early = [stream.next(), stream.next()];
    taken.call.headers({ "x-h": "1" });
    for (const each of ["a", "b", "c"]) taken.call.send(bytes(each));
    taken.call.end({ code: Code.OK, message: "" }, { "x-t": "2" });
    assert.deepEqual((await Promise.all(early)).map(text), ["a", "b"]);
    assert.deepEqual({ ...(await stream.headers) }, { "x-h": "1" });
    await settled();
    assert.deepEqual({ ...stream.trailers }, {}, "not before everything is read");
    assert.equal(text(await stream.next()), "c");
    assert.equal(await stream.next(), undefined);
    assert.deepEqual({ ...stream.trailers }, { "x-t": "2" });
    assert.equal(await stream.next(), undefined);
  });

  test("is given before the error that follows, which has the metadata of both", async () => {
    const { stream, taken } = await open();
    taken.call.headers({ "x-a": "1", "x-b": "1" });
    taken.call.send(bytes("a"));
    taken.call.end({ code: Code.NOT_FOUND, message: "gone" }, { "x-b": ["2", "3"] });
    await settled();
    assert.equal(text(await stream.next()), "a");
    const error: unknown = await stream.next().catch((reason: unknown) => reason);
    assert.ok(error instanceof CallError);
    assert.equal(error.message, "[NOT_FOUND] gone");
    assert.deepEqual([error.code, error.rawMessage], [Code.NOT_FOUND, "gone"]);
    assert.deepEqual({ ...error.metadata }, { "x-a": "1", "x-b": ["1", "2", "3"] });
    assert.equal(await stream.next().catch((reason: unknown) => reason), error);
  });

  test("may have names that objects have, too", async () => {
    const { stream, taken } = await open();
    const trailers = JSON.parse('{ "constructor": "1", "__proto__": "2" }') as Metadata;
    taken.call.end({ code: Code.ABORTED, message: "" }, trailers);
    const error: unknown = await stream.next().catch((reason: unknown) => reason);
    assert.ok(error instanceof CallError);
    assert.deepEqual(Object.entries(error.metadata), Object.entries(trailers));
    assert.deepEqual([...headersFromMetadata(error.metadata)].length, 2);
  });

  test("holds the server up while nobody asks for it", async () => {
    const { stream, taken } = await open();
    const chunk = new Uint8Array(16_000);
    let sent = 0;
    let isFull = false;
    const send = (): void => {
      while (!isFull && sent < 100) {
        isFull = !taken.call.send(chunk);
        sent++;
      }
    };
    taken.drained = () => {
      isFull = false;
      send();
    };
    send();
    await settled();
    const stopped = sent;
    // The client's credit of 128 KiB, and 64 KiB that wait.
    assert.ok(stopped < 15, `${stopped} messages were sent to one who does not read`);
    for (let index = 0; index < 100; index++) await stream.next();
    assert.equal(sent, 100);
  });

  test("is only one where one is expected", async () => {
    for (const [messages, said] of [
      [[], "no message"],
      [["a", "b"], "more than one message"],
    ] as const) {
      const { stream, taken } = await open();
      for (const each of messages) taken.call.send(bytes(each));
      taken.call.end({ code: Code.OK, message: "" });
      await assert.rejects(stream.only(), new RegExp(`UNIMPLEMENTED\\] the server answered ${said}`));
    }
    const { stream, taken } = await open();
    taken.call.send(bytes("a"));
    taken.call.end({ code: Code.ABORTED, message: "after all" });
    await assert.rejects(stream.only(), /ABORTED\] after all/);
  });
});

describe("what is sent", () => {
  test("is asked for when there is room, and no sooner", async () => {
    const { stream, taken } = await open();
    taken.call.pause();
    const source = new Source();
    for (let index = 0; index < 100; index++) source.give("x".repeat(16_000));
    source.give(undefined);
    const done = stream.sendAll(source, bytes);
    await settled();
    // The server's credit of 128 KiB, and 64 KiB that wait.
    assert.ok(source.asked < 15, `${source.asked} were asked for`);
    taken.call.resume();
    await done;
    await settled();
    assert.equal(taken.messages.length, 100);
    assert.equal(taken.isHalfClosed, true);
    assert.equal(source.returned, 0);
  });

  test("fails the call with what its source throws", async () => {
    const { stream, taken } = await open();
    const source = new Source();
    const error = new Error("out of paper");
    source.give("a");
    source.give(error);
    await stream.sendAll(source, bytes);
    await assert.rejects(stream.next(), error);
    await assert.rejects(stream.headers, error);
    await settled();
    assert.equal(taken.ends[0]?.code, Code.CANCELLED);
  });

  test("is left when the call has ended", async () => {
    const { stream, taken } = await open();
    const source = new Source();
    const done = stream.sendAll(source, bytes);
    taken.call.end({ code: Code.OK, message: "" });
    await done;
    assert.equal(source.returned, 1);
    assert.equal(await stream.send(bytes("late")), false);
  });
});

describe("an AbortSignal", () => {
  test("ends the call here and there, and what was not read is gone", async () => {
    const controller = new AbortController();
    const { stream, taken } = await open(controller.signal);
    taken.call.send(bytes("a"));
    await settled();
    controller.abort(new Error("changed my mind"));
    const error: unknown = await stream.next().catch((reason: unknown) => reason);
    assert.ok(error instanceof CallError);
    assert.equal(error.code, Code.CANCELLED);
    assert.match(String(error.cause), /changed my mind/);
    await settled();
    assert.equal(taken.ends[0]?.code, Code.CANCELLED);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  });

  test("that is aborted already opens nothing", async () => {
    const gateway = new MemoryGateway();
    const connection = new Connection({ url: "ws://a", webSocket: gateway.webSocket });
    const stream = new CallStream(connection, { method: "a.B/C" }, AbortSignal.abort());
    await assert.rejects(stream.next(), /CANCELLED/);
    assert.deepEqual([stream.send(bytes("a")), gateway.sockets.length], [false, 0]);
  });
});

/** What happens to one of several calls on a connection, or to the connection. */
type Step =
  | { readonly of: number; readonly do: CallStep }
  | { readonly do: "drop" | "go away" | "later" | "breathe" };
type CallStep = (typeof callSteps)[number];

const callSteps = [
  "next",
  "next",
  "abort",
  "cancel",
  "give",
  "give",
  "finish",
  "throw",
  "headers",
  "message",
  "message",
  "large message",
  "end",
  "fail",
] as const;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ of: fc.nat(2), do: fc.constantFrom(...callSteps) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("drop", "go away", "later", "breathe", "breathe") }),
  },
);

/** One call of the property, with all that is known of it. */
class Subject {
  readonly controller = new AbortController();
  readonly source = new Source();
  readonly stream: CallStream;
  readonly name: string;
  readonly sent: string[] = [];
  readonly read: (string | undefined)[] = [];
  /** Errors and ends that readers were told. */
  readonly ends: unknown[] = [];
  asked = 0;
  isSendingDone = false;

  constructor(connection: Connection, name: string) {
    this.name = name;
    this.stream = new CallStream(connection, { method: `a.B/${name}` }, this.controller.signal);
    void this.stream.sendAll(this.source, bytes).then(() => (this.isSendingDone = true));
  }

  next(): void {
    this.asked++;
    this.stream.next().then(
      (message) => (message === undefined ? this.ends.push("end") : this.read.push(text(message))),
      (error: unknown) => this.ends.push(error),
    );
  }
}

test("however calls and their connection end, each call ends once, in order, and nothing stays", async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const gateway = new MemoryGateway();
    const clock = new FakeClock();
    const connection = new Connection({
      url: "ws://a",
      webSocket: gateway.webSocket,
      clock,
      random: () => 0.5,
    });
    const subjects = ["0", "1", "2"].map((name) => new Subject(connection, name));
    const takenOf = ({ name }: Subject): TakenCall | undefined =>
      gateway.calls.findLast(({ opening }) => opening.method === `a.B/${name}`);
    let number = 0;
    for (const each of steps) {
      if (!("of" in each)) {
        const socket = gateway.sockets.at(-1);
        if (each.do === "breathe") await settled();
        else if (each.do === "later") await clock.advanceSettled(6000);
        else if (socket === undefined || socket.isOver || socket.protocol === "") continue;
        else if (each.do === "drop") socket.drop();
        else socket.server.goAway();
        continue;
      }
      const subject = subjects[each.of];
      assert.ok(subject !== undefined);
      const taken = takenOf(subject);
      const say = (message: string): void => {
        if (taken === undefined || taken.ends.length > 0) return;
        subject.sent.push(message);
        taken.call.send(bytes(message));
      };
      switch (each.do) {
        case "next":
          subject.next();
          break;
        case "abort":
          subject.controller.abort();
          break;
        case "cancel":
          subject.stream.cancel();
          break;
        case "give":
          subject.source.give(`request ${number++}`);
          break;
        case "finish":
          subject.source.give(undefined);
          break;
        case "throw":
          subject.source.give(new Error("from the source"));
          break;
        case "headers":
          taken?.call.headers({});
          break;
        case "message":
          say(`reply ${number++}`);
          break;
        case "large message":
          say(`reply ${number++} ${"x".repeat(100_000)}`);
          break;
        case "end":
          taken?.call.end({ code: Code.OK, message: "" });
          break;
        case "fail":
          taken?.call.end({ code: Code.ABORTED, message: "" });
          break;
      }
    }
    await settled();
    connection.close();
    await settled();
    for (const subject of subjects) {
      // What is left is read, and then the end, twice.
      for (let left = subject.sent.length + 2; left > 0; left--) subject.next();
      await settled();
      assert.equal(subject.read.length + subject.ends.length, subject.asked, "every reader is answered");
      assert.deepEqual(subject.read, subject.sent.slice(0, subject.read.length), "in order");
      assert.ok(subject.ends.length >= 2);
      assert.equal(new Set(subject.ends).size, 1, "the end is always the same");
      await subject.stream.headers.catch(() => undefined);
      assert.equal(getEventListeners(subject.controller.signal, "abort").length, 0);
      assert.ok(subject.isSendingDone, "nobody waits for the source");
      assert.ok(subject.source.returned <= 1);
    }
    for (const taken of gateway.calls) assert.equal(taken.ends.length, 1, "the server is told once");
    assert.equal(clock.size, 0, "timers stay");
  });
  await fc.assert(property, { numRuns: 300 });
});
