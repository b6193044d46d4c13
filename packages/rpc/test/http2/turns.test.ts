import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { ClientSession } from "../../src/http2/client-session.ts";
import type { StreamListener } from "../../src/http2/client-stream.ts";
import { frame } from "./raw-server.ts";

const limits = { streamWindowBytes: 65_535, connectionWindowBytes: 65_535, maxHeaderBytes: 16_384 };
const data = 0;
const settings = 4;
const windowUpdate = 8;
const headers = { ":method": "POST", ":path": "/a.B/C" };
const head = frame(1, 4, 1, "88");
const quiet: StreamListener = { head() {}, data() {}, trailers() {}, end() {}, drain() {}, closed() {} };

interface Peer {
  readonly session: ClientSession;
  /** The streams of the DATA frames that have been written. */
  readonly sent: number[];
  readonly says: (...frames: readonly Buffer[]) => void;
}

/** A session on a socket that takes all at once, or with `isFull` what it is given first. */
function connect(isFull = false): Peer {
  const sent: number[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (chunk.length >= 9 && chunk.length < 100 && chunk[3] === data) sent.push(chunk.readUInt32BE(5));
      if (!isFull) done();
    },
  });
  const session = new ClientSession(socket as unknown as Socket, limits, {
    settings() {},
    goaway() {},
    failed: (error) => assert.ifError(error),
  });
  session.begin();
  return { session, sent, says: (...frames) => session.receive(Buffer.concat(frames)) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

describe("the streams of a connection", () => {
  test("take turns where its window is narrow", async () => {
    const { session, sent, says } = connect();
    says(frame(settings, 0, 0, "0004 00100000"));
    for (let count = 0; count < 3; count++) {
      session.request(headers, quiet).write([Buffer.alloc(200_000)], true);
    }
    await turns();
    sent.length = 0;
    for (let count = 0; count < 6; count++) {
      says(frame(windowUpdate, 0, 0, "00004000"));
      await turns();
    }
    assert.deepEqual(
      [1, 3, 5].map((id) => sent.filter((each) => each === id).length),
      [2, 2, 2],
    );
  });

  test("wait for the socket, also one that goes on as soon as it is told to", async () => {
    const { session, says } = connect(true);
    says(frame(settings, 0, 0, "0004 7fffffff"), frame(windowUpdate, 0, 0, "7fff0000"));
    const chunk = Buffer.alloc(16_384);
    let drains = 0;
    const stream = session.request(headers, {
      ...quiet,
      drain() {
        assert.ok(++drains < 100, "it is told to go on though the socket is full");
        stream.write([chunk], false);
      },
    });
    stream.write([chunk], false);
    await turns();
    assert.ok(drains >= 1);
  });
});

test("a listener that throws costs no other stream, and what it throws is not lost", async () => {
  const { session, says } = connect();
  const thrown: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error.message));
  const told: string[] = [];
  session.request(headers, {
    ...quiet,
    data() {
      throw new Error("data");
    },
    closed() {
      throw new Error("closed");
    },
  });
  session.request(headers, {
    ...quiet,
    data: (bytes) => told.push(`data ${bytes.length}`),
    closed: (code) => told.push(`closed ${code}`),
  });
  try {
    says(
      frame(settings, 0, 0),
      head,
      frame(data, 0, 1, "01"),
      frame(1, 4, 3, "88"),
      frame(data, 0, 3, "0102"),
    );
    await turn();
    session.destroy();
    await turn();
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
  assert.deepEqual(told, ["data 2", "closed 8"]);
  assert.deepEqual(thrown, ["data", "closed"]);
});

describe("a stream that was paused", () => {
  test("keeps what came for it, and not what came with that", () => {
    const { session, says } = connect();
    const got: Uint8Array[] = [];
    const stream = session.request(headers, { ...quiet, data: (bytes) => got.push(bytes) });
    stream.pause();
    says(frame(settings, 0, 0), head, frame(data, 0, 1, "0102"), frame(0xfa, 0, 0, "00".repeat(16_384)));
    stream.resume();
    assert.deepEqual(
      got.map((bytes) => [...bytes]),
      [[1, 2]],
    );
    assert.ok((got[0]?.buffer.byteLength ?? 0) < 16_384);
  });

  test("hears one thing after another, though it pauses and resumes meanwhile", () => {
    const { session, says } = connect();
    const told: string[] = [];
    const stream = session.request(headers, {
      ...quiet,
      data([number]) {
        told.push(`begin ${number}`);
        stream.pause();
        stream.resume();
        told.push(`end ${number}`);
      },
    });
    stream.pause();
    says(
      frame(settings, 0, 0),
      head,
      frame(data, 0, 1, "01"),
      frame(data, 0, 1, "02"),
      frame(data, 0, 1, "03"),
    );
    stream.resume();
    assert.deepEqual(told, ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
  });
});

/** What is thrown while `run` does its work, each as its message. */
async function thrownIn(run: () => Promise<void>): Promise<string[]> {
  const thrown: string[] = [];
  process.setUncaughtExceptionCaptureCallback(({ message }) => thrown.push(message));
  try {
    await run();
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
  return thrown;
}

/** A listener that notes what it is told, and throws at some of it. */
function throwing(told: string[], at: string): StreamListener {
  const tell = (what: string): void => {
    told.push(what);
    if (what.startsWith(at)) throw new Error(what);
  };
  return {
    head: () => tell("head"),
    data: (bytes) => tell(`data ${Buffer.from(bytes).toString("hex")}`),
    trailers: () => tell("trailers"),
    end: () => tell("end"),
    drain: () => tell("drain"),
    closed: (code) => tell(`closed ${code}`),
  };
}

describe("a listener that throws", () => {
  test("when it is told to go on holds up no other stream", async () => {
    const { session, sent, says } = connect();
    says(frame(settings, 0, 0));
    const told: string[] = [];
    const one = session.request(headers, throwing(told, "drain"));
    const other = session.request(headers, quiet);
    await turns();
    const thrown = await thrownIn(async () => {
      one.write([Buffer.alloc(10)], false);
      other.write([Buffer.alloc(10)], false);
      await turns();
    });
    assert.deepEqual([sent, one.unsentBytes, other.unsentBytes, thrown], [[1], 0, 0, ["drain"]]);
  });

  test("when its stream is refused leaves no other that is refused open", async () => {
    const { session, says } = connect();
    says(frame(settings, 0, 0));
    const told: string[] = [];
    session.request(headers, throwing(told, "closed"));
    session.request(headers, throwing(told, "nothing"));
    const thrown = await thrownIn(async () => {
      says(frame(7, 0, 0, "00000000 00000000"));
      await turns();
    });
    assert.deepEqual([told, thrown], [["closed 7", "closed 7"], ["closed 7"]]);
  });

  for (const at of ["head", "data", "trailers", "end"]) {
    test(`at ${at} is told of all that follows, and of the end of its stream`, async () => {
      const told: string[] = [];
      const { session, says } = connect();
      const thrown = await thrownIn(async () => {
        const stream = session.request(headers, throwing(told, at));
        stream.write([], true);
        await turns();
        says(frame(settings, 0, 0), head, frame(data, 0, 1, "01"));
        stream.pause();
        says(frame(data, 0, 1, "02"), frame(data, 0, 1, "03"));
        stream.resume();
        says(frame(data, at === "end" ? 1 : 0, 1, "04"));
        if (at !== "end") says(frame(1, 5, 1, "88"));
        await turns();
      });
      const all = ["head", "data 01", "data 02", "data 03", "data 04", at === "end" ? "end" : "trailers"];
      assert.deepEqual(
        told.filter((what) => what !== "drain"),
        [...all, "closed 0"],
      );
      assert.deepEqual(
        thrown,
        all.filter((what) => what.startsWith(at)),
      );
    });
  }
});
