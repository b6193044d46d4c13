import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import * as fc from "fast-check";
import {
  type Call,
  Code,
  createClientMultiplex,
  createServerMultiplex,
  FrameType,
  type Multiplex,
  noMetadata,
} from "../src/index.ts";
import {
  encodeCredit,
  encodeEmpty,
  encodeGoAway,
  encodeHeaders,
  encodeHello,
  encodeOpen,
  encodeStatus,
} from "../src/frame-codec.ts";
import { defaultSettings } from "../src/settings.ts";
import { type Accepted, bytesOf, Loop, MemoryWire, Pair, Recorder } from "./pair.ts";
import { bytesFromHex, frameVectors } from "./vector.ts";

const ok = { code: Code.OK, message: "" };
const maxCalls = 5;
const runs = { numRuns: 500 };

/** Something that happens, to the call `at` where it concerns one. */
type Event = { readonly kind: string; readonly at: number; readonly size: number };

const kinds = [
  "open",
  "client send",
  "client send",
  "client send",
  "client half-close",
  "client cancel",
  "client pause",
  "client resume",
  "server headers",
  "server send",
  "server send",
  "server send a view",
  "server send a view",
  "server end",
  "server fail",
  "server pause",
  "server resume",
  "step",
  "step",
  "deliver up",
  "deliver up",
  "deliver down",
  "deliver down",
];
const rare = ["go away", "client close", "server close", "lost"];

function events(...names: readonly string[]): fc.Arbitrary<Event[]> {
  const event = fc.record({
    kind: fc.constantFrom(...names),
    at: fc.nat(30),
    size: fc.oneof(fc.nat(40), fc.integer({ min: 16_000, max: 17_000 }), fc.nat(100_000)),
  });
  return fc.array(event, { maxLength: 150, size: "max" });
}

/** One call, with what each side has sent. */
interface Tracked {
  readonly call: Call;
  readonly record: Recorder;
  readonly up: Uint8Array[];
  readonly down: Uint8Array[];
  isHalfClosed: boolean;
}

class Play {
  readonly clock: FakeClock = new FakeClock();
  readonly pair: Pair;
  readonly calls: Tracked[] = [];
  #sent = 0;

  constructor(maxBytes: number = defaultSettings.maxMessageBytes) {
    const limits = {
      initialCredit: 20_000,
      maxCalls,
      maxMessageBytes: maxBytes,
      maxAssemblyBytes: maxBytes,
      maxWaitingBytes: Infinity,
    };
    const clientOptions = { keepalive: { clock: this.clock } };
    this.pair = new Pair({ client: limits, server: limits, clientOptions });
  }

  run({ kind, at, size }: Event): void {
    const { pair } = this;
    const tracked = this.calls[at % Math.max(this.calls.length, 1)];
    const accepted = pair.accepted[at % Math.max(pair.accepted.length, 1)];
    switch (kind) {
      case "open":
        return this.open();
      case "client half-close":
        if (tracked !== undefined) tracked.isHalfClosed = true;
        return tracked?.call.halfClose();
      case "client pause":
        return tracked?.call.pause();
      case "client resume":
        return tracked?.call.resume();
      case "client cancel":
        return tracked?.call.cancel();
      case "client send":
        if (tracked?.isHalfClosed === false) this.#send(tracked.call, tracked.up, size);
        return;
      case "server headers":
        return accepted?.call.headers({ a: "1" });
      case "server send":
        if (accepted !== undefined) this.#send(accepted.call, this.#trackedOf(accepted).down, size);
        return;
      case "server send a view":
        if (accepted !== undefined) this.#sendView(accepted, size);
        return;
      case "server end":
        return accepted?.call.end(ok);
      case "server fail":
        return accepted?.call.end({ code: Code.ABORTED, message: "no" });
      case "server pause":
        return accepted?.call.pause();
      case "server resume":
        return accepted?.call.resume();
      case "step":
        return void pair.loop.step();
      case "deliver up":
        return void pair.deliver("client");
      case "deliver down":
        return void pair.deliver("server");
      case "go away":
        return pair.server.goAway("test");
      case "client close":
        return pair.client.close();
      case "server close":
        return pair.server.close(1001, "test");
      case "lost":
        pair.client.closed(1006, "");
        return pair.server.closed(1006, "");
    }
  }

  open(): void {
    const record = new Recorder();
    const call = this.pair.client.open({ method: "a.B/C", metadata: { at: `${this.calls.length}` } }, record);
    this.calls.push({ call, record, up: [], down: [], isHalfClosed: false });
  }

  /** The accepted call's other end. */
  #trackedOf({ opening }: Accepted): Tracked {
    return this.calls[Number(opening.metadata["at"])]!;
  }

  #send(call: Pick<Call, "send">, sent: Uint8Array[], size: number): void {
    const bytes = bytesOf(size, this.#sent++);
    call.send(bytes);
    sent.push(bytes);
  }

  /** Sends what is overwritten afterwards. */
  #sendView(accepted: Accepted, size: number): void {
    const bytes = bytesOf(size, this.#sent++);
    this.#trackedOf(accepted).down.push(bytes.slice());
    accepted.call.sendView(bytes);
    bytes.fill(0xee);
  }

  /** Lets everything flow until nothing moves. */
  settle(): void {
    for (const { call } of this.calls) call.resume();
    for (const { call } of this.pair.accepted) call.resume();
    this.pair.settle();
  }

  /** Checks that what arrived is what was sent, in order, as far as it came. */
  check(): void {
    for (const { record, down } of this.calls) assertPrefix(record.messages, down);
    for (const accepted of this.pair.accepted) {
      assertPrefix(accepted.record.messages, this.#trackedOf(accepted).up);
    }
  }
}

function assertPrefix(received: readonly Uint8Array[], sent: readonly Uint8Array[]): void {
  assert.ok(received.length <= sent.length);
  received.forEach((message, index) => assert.ok(Buffer.from(message).equals(sent[index]!)));
}

describe("a client and a server, whatever they do and however it is delivered,", () => {
  test("deliver every message in order", () => {
    fc.assert(
      fc.property(events(...kinds.filter((kind) => !/cancel|fail|server end/.test(kind))), (list) => {
        const play = new Play();
        play.open();
        for (const event of list) play.run(event);
        play.settle();
        play.check();
        const { pair, calls } = play;
        assert.equal(pair.server.size, Math.min(calls.length, maxCalls));
        for (const { record, opening } of pair.accepted) {
          const { up, record: other, down } = calls[Number(opening.metadata["at"])]!;
          assert.equal(record.messages.length + other.messages.length, up.length + down.length);
        }
      }),
      runs,
    );
  });

  test("end every call exactly once, and keep nothing of it", () => {
    fc.assert(
      fc.property(events(...kinds, ...rare), fc.boolean(), (list, isLost) => {
        const play = new Play();
        for (const event of list) play.run(event);
        play.settle();
        play.check();
        const { pair, calls } = play;
        // What goes on is ended, by the server or by the loss of the connection.
        if (isLost) play.run({ kind: "lost", at: 0, size: 0 });
        for (const ended = new Set<Accepted>(); ended.size < pair.accepted.length;) {
          for (const accepted of pair.accepted) {
            accepted.call.end(ok);
            ended.add(accepted);
          }
          play.settle();
        }
        for (const { record } of calls) assert.equal(record.ends.length, 1);
        for (const { record } of pair.accepted) {
          assert.equal(record.ends.length, 1);
          assert.ok(record.halfCloses <= 1);
        }
        assert.equal(pair.client.size, 0);
        assert.equal(pair.server.size, 0);
        pair.client.close();
        pair.settle();
        assert.equal(play.clock.size, 0);
        // Nothing moves any more.
        play.settle();
        assert.equal(pair.up.waiting.length + pair.down.waiting.length, 0);
      }),
      runs,
    );
  });

  test("give back the memory of messages that came in part", () => {
    const maxBytes = 400_000;
    fc.assert(
      fc.property(events(...kinds), (list) => {
        const play = new Play(maxBytes);
        for (const event of list) play.run(event);
        for (const { call } of play.calls) call.cancel();
        play.settle();
        play.open();
        const message = bytesOf(maxBytes);
        play.calls.at(-1)!.call.send(message);
        play.settle();
        assert.ok(Buffer.from(play.pair.accepted.at(-1)!.record.messages[0]!).equals(message));
      }),
      { numRuns: 100 },
    );
  });
});

const opening = { method: "a.B/C", metadata: noMetadata, encoding: "protobuf" } as const;
const someCall = fc.integer({ min: 1, max: 6 });
const anyFrame = fc.oneof(
  someCall.map((id) => encodeOpen(id, opening)),
  someCall.map((id) => encodeHeaders(id, { a: "1" })),
  someCall.map((id) => encodeStatus(id, ok, noMetadata)),
  fc.tuple(someCall, fc.integer({ min: 1, max: 0x7fffffff })).map(([id, bytes]) => encodeCredit(id, bytes)),
  someCall.map((id) => encodeEmpty(FrameType.HALF_CLOSE, id)),
  someCall.map((id) => encodeEmpty(FrameType.CANCEL, id)),
  fc.constant(encodeHello(defaultSettings)),
  fc.constantFrom(...frameVectors).map(({ hex }) => bytesFromHex(hex)),
);
const mutatedFrame = fc.tuple(anyFrame, fc.nat(), fc.nat(255)).map(([frame, at, value]) => {
  const copy = frame.slice();
  copy[at % copy.length] = value;
  return copy;
});
const wildFrame = fc.oneof(anyFrame, mutatedFrame);

/** What a peer means to send; `at` chooses among the calls that there are. */
interface Intent {
  readonly kind: string;
  readonly at: number;
  readonly size: number;
  readonly isEnd: boolean;
}

/** Makes frames that are allowed where they come, out of whatever is meant. */
class Peer {
  readonly #isClient: boolean;
  /** By call: whether DATA may come, and whether a message is begun. */
  readonly #calls: { isOpen: boolean; isBegun: boolean }[];

  constructor(isClient: boolean, calls: number) {
    this.#isClient = isClient;
    this.#calls = Array.from({ length: calls }, () => ({ isOpen: false, isBegun: false }));
  }

  frame({ kind, at, size, isEnd }: Intent): Uint8Array {
    if (this.#isClient && kind === "open") {
      this.#calls.push({ isOpen: true, isBegun: false });
      return encodeOpen(this.#calls.length, opening);
    }
    const call = this.#calls[at % this.#calls.length];
    const id = (at % this.#calls.length) + 1;
    if (call === undefined || kind === "ping") return encodeEmpty(FrameType.PING, 0);
    if (kind === "go away" && !this.#isClient) return encodeGoAway(at, "test");
    if (kind === "credit") return encodeCredit(id, size + 1);
    if (kind === "end")
      return this.#isClient ? encodeEmpty(FrameType.CANCEL, id) : encodeStatus(id, ok, noMetadata);
    if (kind === "half" && this.#isClient && call.isOpen && !call.isBegun) {
      call.isOpen = false;
      return encodeEmpty(FrameType.HALF_CLOSE, id);
    }
    if (!call.isOpen) {
      if (this.#isClient) return encodeCredit(id, size + 1);
      call.isOpen = true;
      return encodeHeaders(id, { a: "1" });
    }
    call.isBegun = !isEnd;
    const frame = new Uint8Array(9 + size);
    frame.set([FrameType.DATA, isEnd ? 1 : 0, (size + 1) >> 8, size + 1, 0, 0, 0, id]);
    return frame;
  }
}

const intent = fc.record({
  kind: fc.constantFrom("open", "data", "data", "data", "credit", "ping", "half", "end", "go away"),
  at: fc.nat(12),
  size: fc.nat(3000),
  isEnd: fc.boolean(),
});

/** WebSocket messages of a peer that mostly keeps to the protocol, to get far. */
function hostile(isClient: boolean, calls: number): fc.Arbitrary<Uint8Array[]> {
  const some = fc.oneof({ weight: 400, arbitrary: intent }, { weight: 1, arbitrary: wildFrame });
  return fc
    .array(fc.array(some, { minLength: 1, maxLength: 4 }), { maxLength: 60, size: "max" })
    .map((messages) => {
      const peer = new Peer(isClient, calls);
      return messages.map(
        (list) =>
          new Uint8Array(
            Buffer.concat(list.map((each) => (each instanceof Uint8Array ? each : peer.frame(each)))),
          ),
      );
    });
}

/** Gives a side what a hostile peer sends, and checks that it stays whole. */
function endure(side: Multiplex, wire: MemoryWire, loop: Loop, messages: readonly Uint8Array[]): void {
  side.receive(encodeHello({ ...defaultSettings, initialCredit: 16_392 }));
  loop.run();
  for (const message of messages) {
    side.receive(message);
    loop.run();
    if (wire.waiting.length > 20) {
      wire.waiting.length = 0;
      side.drain();
    }
  }
  const { closing } = wire;
  const sent = wire.sent.length;
  if (closing !== undefined) {
    side.drain();
    assert.equal(wire.sent.length, sent, "nothing is sent after the end");
  }
  side.closed(1006, "");
  loop.run();
  assert.equal(side.size, 0);
}

describe("whatever a hostile peer sends,", () => {
  test("a server ends every call exactly once", () => {
    fc.assert(
      fc.property(hostile(true, 0), fc.array(fc.nat(9)), (messages, answers) => {
        const loop = new Loop();
        const wire = new MemoryWire();
        const records: Recorder[] = [];
        let at = 0;
        const server = createServerMultiplex(wire, {
          defer: loop.defer,
          accept: (call) => {
            const record = new Recorder();
            records.push(record);
            const answer = answers[at++ % Math.max(answers.length, 1)] ?? 0;
            if (answer & 1) call.send(bytesOf(answer * 10_000));
            if (answer & 2) call.end(ok);
            if (answer & 4) call.pause();
            return record;
          },
        });
        endure(server, wire, loop, messages);
        for (const record of records) {
          assert.equal(record.ends.length, 1);
          assert.ok(record.halfCloses <= 1);
        }
      }),
      runs,
    );
  });

  test("a client ends every call exactly once", () => {
    fc.assert(
      fc.property(hostile(false, 6), (messages) => {
        const loop = new Loop();
        const wire = new MemoryWire();
        const client = createClientMultiplex(wire, { defer: loop.defer });
        const records = Array.from({ length: 6 }, (_, index) => {
          const record = new Recorder();
          client.open({ method: "a.B/C" }, record).send(bytesOf(index * 20_000));
          return record;
        });
        endure(client, wire, loop, messages);
        for (const record of records) assert.equal(record.ends.length, 1);
      }),
      runs,
    );
  });

  test("random bytes close the connection, and nothing else happens", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 7 }), (bytes) => {
        const loop = new Loop();
        const wire = new MemoryWire();
        const server = createServerMultiplex(wire, { defer: loop.defer, accept: () => new Recorder() });
        server.receive(bytes);
        assert.equal(wire.closing?.code, 4400);
      }),
    );
  });
});
