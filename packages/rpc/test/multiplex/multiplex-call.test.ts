import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { Code, MAX_CHUNK_BYTES, noMetadata, type AcceptedCall, type Metadata } from "@sluice/protocol";
import { createCodec, createStatus, okStatus, type Method, type Status } from "../../src/index.ts";
import { MultiplexCall } from "../../src/multiplex/multiplex-call.ts";
import { repeat, converse, say } from "../backend/harness.ts";
import { ScriptedBackend, type ScriptedCall } from "../shared-streams/scripted-backend.ts";

/** The client's end of a call, which writes down what it is told. */
class RecordedCall implements AcceptedCall {
  readonly sent: string[] = [];
  readonly events: string[] = [];
  status: Status | undefined;
  isFull = false;

  headers(metadata: Metadata): void {
    this.events.push(`headers ${JSON.stringify(metadata)}`);
  }

  send(message: Uint8Array): boolean {
    this.sent.push(Buffer.from(message).toString());
    return !this.isFull;
  }

  sendView(message: Uint8Array): boolean {
    return this.send(message);
  }

  pause(): void {
    this.events.push("pause");
  }

  resume(): void {
    this.events.push("resume");
  }

  end(status: Status): void {
    this.status = status;
  }
}

function serve(
  method: Method,
  {
    isReading = false,
    encoding = "protobuf",
    timeout,
  }: { isReading?: boolean; encoding?: "protobuf" | "json"; timeout?: number } = {},
): {
  call: MultiplexCall;
  accepted: RecordedCall;
  upstream: ScriptedCall;
  reports: Status[];
  abandoned: () => number;
} {
  const backend = new ScriptedBackend();
  const accepted = new RecordedCall();
  const reports: Status[] = [];
  let abandoned = 0;
  const call = new MultiplexCall({
    accepted,
    opening: {
      method: method.path,
      metadata: noMetadata,
      encoding,
      ...(timeout === undefined ? {} : { timeout }),
    },
    entry: {
      method,
      backend,
      input: createCodec(method.input),
      output: createCodec(method.output),
      any: createCodec(AnySchema),
    },
    metadata: noMetadata,
    isReading: () => isReading,
    abandoned: () => abandoned++,
    report: (status) => reports.push(status),
  });
  return { call, accepted, upstream: backend.last, reports, abandoned: () => abandoned };
}

describe("a message of a client", () => {
  test("of one chunk is copied for a backend that takes no views", () => {
    const came = Buffer.alloc(60_000, "a");
    const { call, upstream } = serve(converse);
    call.message(came.subarray(8, 9));
    call.message(came.subarray(9, 9 + MAX_CHUNK_BYTES));
    came.fill("b");
    assert.deepEqual(upstream.requests.map(String), ["a", "a".repeat(MAX_CHUNK_BYTES)]);
  });

  test("of several chunks has memory of its own, and is passed on as it is", () => {
    const { call, upstream } = serve(converse);
    const message = Buffer.alloc(MAX_CHUNK_BYTES + 1);
    call.message(message);
    assert.equal(upstream.requests[0], message);
  });

  test("is the only one of a method that takes one, and has to be there", () => {
    for (const method of [say, repeat]) {
      const two = serve(method);
      two.call.message(Buffer.from("a"));
      two.call.message(Buffer.from("b"));
      assert.equal(two.accepted.status?.code, Code.UNIMPLEMENTED);
      assert.match(two.accepted.status.message, /more than one message/);
      assert.equal(two.upstream.requests.length, 1);
      const none = serve(method);
      none.call.halfClose();
      assert.match(none.accepted.status?.message ?? "", /no message/);
    }
  });

  test("that is no JSON, or not UTF-8, is INVALID_ARGUMENT", () => {
    for (const bytes of [Buffer.from("{"), Buffer.from([0x22, 0xff, 0x22]), Buffer.alloc(0)]) {
      const { call, accepted, reports } = serve(say, { encoding: "json" });
      call.message(bytes);
      assert.equal(accepted.status?.code, Code.INVALID_ARGUMENT);
      assert.deepEqual(reports, [accepted.status]);
    }
  });
});

test("pressure goes both ways, and only where it arises", () => {
  const { call, accepted, upstream } = serve(converse);
  accepted.isFull = true;
  upstream.reply("a");
  assert.equal(upstream.pauses, 1);
  call.drain();
  upstream.isFull = true;
  call.message(Buffer.from("a"));
  assert.deepEqual(accepted.events, ["pause"]);
  upstream.listener.drain();
  assert.deepEqual(accepted.events, ["pause", "resume"]);
});

test("the end is told once, with what the backend said", () => {
  const { accepted, upstream, call, reports } = serve(converse);
  upstream.finish({ code: Code.ABORTED, message: "so far" });
  assert.deepEqual(accepted.status, { code: Code.ABORTED, message: "so far" });
  call.end(okStatus);
  assert.equal(reports.length, 1);
});

test("a client whose connection is lost has cancelled its call", () => {
  const { call, reports } = serve(converse);
  call.end({ code: Code.UNAVAILABLE, message: "the connection closed with 1006" });
  assert.deepEqual(reports, [{ code: Code.CANCELLED, message: "the connection closed with 1006" }]);
});

test("a reply that cannot be read as its message is INTERNAL for a client of JSON", () => {
  const { accepted, upstream } = serve(converse, { encoding: "json" });
  upstream.listener.message(Buffer.from([0xff]));
  assert.equal(accepted.status?.code, Code.INTERNAL);
});

test("a client that breaks the protocol has left, to the backend and the log", () => {
  const { call, upstream, reports } = serve(converse, { isReading: true });
  call.end(createStatus(Code.INTERNAL, "the connection closed with 4400: a text message"));
  assert.ok(upstream.isOver);
  assert.deepEqual(
    reports.map(({ code, message }) => [code, message]),
    [[Code.CANCELLED, "the connection closed with 4400: a text message"]],
  );
});

describe("a call counts as abandoned", () => {
  test("when the client cancels it, or sends what ends it", () => {
    const cancelled = serve(converse);
    cancelled.call.end(createStatus(Code.CANCELLED, "the client cancelled the call"));
    assert.equal(cancelled.abandoned(), 1);
    const empty = serve(say);
    empty.call.halfClose();
    assert.equal(empty.abandoned(), 1);
    const garbage = serve(converse, { encoding: "json" });
    garbage.call.message(Buffer.from("{"));
    assert.equal(garbage.abandoned(), 1);
  });

  test("when it ends at the deadline of the client, and not at another", () => {
    const late = serve(converse, { timeout: 10 });
    late.upstream.finish(createStatus(Code.DEADLINE_EXCEEDED, "late"));
    assert.equal(late.abandoned(), 1);
    const other = serve(converse);
    other.upstream.finish(createStatus(Code.DEADLINE_EXCEEDED, "late"));
    assert.equal(other.abandoned(), 0);
  });

  test("not when the backend ends it, whatever the connection says of it afterwards", () => {
    const done = serve(converse, { timeout: 10 });
    done.upstream.finish(createStatus(Code.CANCELLED, "by the server"));
    done.call.end(createStatus(Code.CANCELLED, "by the server"));
    assert.equal(done.abandoned(), 0);
  });
});
