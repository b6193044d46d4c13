import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { CallStart, Method, Status } from "@sluice/rpc";
import { collect, say } from "../backend/harness.ts";
import { frameMessages } from "../../src/wire/length-prefixed-message.ts";
import { RequestMessages } from "../../src/wire/request-messages.ts";

interface Heard {
  readonly events: string[];
  readonly status: Status | undefined;
}

/** Reads a body in chunks; resolves when it has ended or failed. */
function read(
  method: Method,
  chunks: readonly Uint8Array[],
  options: { readonly encoding?: string; readonly passes?: boolean; readonly maxBytes?: number } = {},
): Promise<Heard> {
  const { encoding, passes = false, maxBytes = 1_000_000 } = options;
  const start: CallStart = {
    method,
    metadata: {},
    ...(passes && encoding !== undefined ? { encoding } : {}),
  };
  return new Promise((resolve) => {
    const events: string[] = [];
    const messages = new RequestMessages({ start, encoding }, maxBytes, {
      message: (bytes, isCompressed) => events.push(`${isCompressed ? "compressed " : ""}${bytes.length}`),
      end: () => resolve({ events: [...events, "end"], status: undefined }),
      failed: (status) => resolve({ events: [...events, "failed"], status }),
      busy: (isBusy) => events.push(isBusy ? "busy" : "free"),
    });
    for (const chunk of chunks) messages.push(chunk);
    messages.end();
  });
}

const bytes = (length: number): Buffer => Buffer.alloc(length, "sluice");

describe("the messages of a request", () => {
  test("come as they are", async () => {
    const { events } = await read(collect, frameMessages([bytes(1), bytes(0), bytes(2)]));
    assert.deepEqual(events, ["1", "0", "2", "end"]);
  });

  test("are none where the body is empty", async () => {
    assert.deepEqual((await read(collect, [])).events, ["end"]);
  });

  test("are inflated in order, large and small", async () => {
    const large = gzipSync(randomBytes(30_000));
    const body = frameMessages([bytes(1), large, gzipSync(bytes(3)), bytes(4)], [0, 1, 1, 0]);
    const { events } = await read(collect, body, { encoding: "gzip" });
    assert.deepEqual(events, ["1", "busy", "30000", "3", "4", "end"]);
  });

  test("pass compressed where the backend takes them so", async () => {
    const small = gzipSync(bytes(3));
    const body = frameMessages([bytes(1), small], [0, 1]);
    const { events } = await read(collect, body, { encoding: "gzip", passes: true });
    assert.deepEqual(events, ["1", `compressed ${small.length}`, "end"]);
  });

  test("may be marked as compressed and be empty", async () => {
    assert.deepEqual((await read(collect, frameMessages([bytes(0)], [1]), { encoding: "gzip" })).events, [
      "0",
      "end",
    ]);
  });

  const broken: readonly [
    name: string,
    method: Method,
    body: readonly Uint8Array[],
    encoding: string | undefined,
    code: number,
  ][] = [
    ["no message for a method that takes one", say, [], undefined, 12],
    ["two messages for a method that takes one", say, frameMessages([bytes(1), bytes(1)]), undefined, 12],
    ["an end inside a message", collect, [Buffer.from("0000000005aa", "hex")], undefined, 3],
    ["an end inside a prefix", collect, [Buffer.from("0000", "hex")], undefined, 3],
    ["an unknown flag", collect, [Buffer.from("0200000000", "hex")], undefined, 3],
    ["a compressed message without an encoding", collect, frameMessages([bytes(3)], [1]), undefined, 13],
    ["a message that is not what its encoding says", collect, frameMessages([bytes(9)], [1]), "gzip", 3],
    ["a message over the limit", collect, frameMessages([bytes(1_000_001)]), undefined, 8],
    ["a bomb", collect, frameMessages([gzipSync(Buffer.alloc(2_000_000))], [1]), "gzip", 8],
  ];
  for (const [name, method, body, encoding, code] of broken) {
    test(`are refused: ${name}`, async () => {
      const { status, events } = await read(method, body, encoding === undefined ? {} : { encoding });
      assert.equal(status?.code, code);
      assert.equal(events.at(-1), "failed");
    });
  }

  test("stop with what is wrong among them, and nothing is told after it", async () => {
    const body = frameMessages([bytes(1), bytes(9), bytes(2)], [0, 1, 0]);
    assert.deepEqual((await read(collect, body, { encoding: "gzip" })).events, ["1", "failed"]);
  });
});
