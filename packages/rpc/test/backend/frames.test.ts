import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { createHttp2Backend, createStatus, type Http2Backend } from "@sluice/rpc";
import { converse, message, open, run, say } from "./harness.ts";
import { frameType, startFrameTap, type FrameTap } from "./frame-tap.ts";
import { answer, framed, grpcHeaders, startScriptedServer, type ScriptedServer } from "./scripted-server.ts";

const hello = message([1, "hello"]);
const endStream = 1;

describe("the frames of a call", () => {
  let server: ScriptedServer;
  let tap: FrameTap;
  let backend: Http2Backend;
  before(async () => {
    server = await startScriptedServer((stream, headers) => {
      if (headers[":path"] === say.path) answer(stream, framed(hello));
      else stream.respond({ ...grpcHeaders });
    });
  });
  after(() => server.close());
  beforeEach(async (context) => {
    tap = await startFrameTap(Number(server.address.split(":")[1]));
    backend = createHttp2Backend(tap.address);
    assert.ok("after" in context);
    context.after(async () => {
      await backend.close(0);
      await tap.close();
    });
  });

  /** The frames on streams, and not those on the connection. */
  const sent = (): string[] =>
    tap.frames
      .filter(({ stream }) => stream > 0)
      .map(({ type, flags, payload }) => {
        const end = (flags & endStream) !== 0 && type !== frameType.rstStream ? " and end" : "";
        if (type === frameType.headers) return `headers${end}`;
        if (type === frameType.data) return `data of ${payload.length}${end}`;
        return type === frameType.rstStream ? `reset with ${payload.readUInt32BE(0)}` : `frame ${type}`;
      });

  test("are three for a unary call: headers, and one DATA frame that ends the request", async () => {
    await run(backend, say, [hello]);
    assert.deepEqual(sent(), ["headers", `data of ${5 + hello.length} and end`]);
  });

  test("join the messages of one tick", async () => {
    const { call, heard } = open(backend, converse);
    await heard.until(({ received }) => received !== undefined);
    for (let index = 0; index < 32; index++) call.send(hello);
    await tap.until((frames) => frames.some(({ type }) => type === frameType.data));
    assert.deepEqual(sent(), ["headers", `data of ${32 * (5 + hello.length)}`]);
  });

  test("end with a reset when it is cancelled, and never look like a request that is complete", async () => {
    const { call, heard } = open(backend, converse);
    call.send(hello);
    await heard.until(({ received }) => received !== undefined);
    call.send(hello);
    call.cancel(createStatus(4, "too late"));
    await tap.until((frames) => frames.some(({ type }) => type === frameType.rstStream));
    const data = `data of ${5 + hello.length}`;
    assert.deepEqual(sent(), ["headers", data, data, "reset with 8"]);
  });

  test("end with a reset when the answer breaks the protocol", async () => {
    const { call, heard } = open(backend, converse);
    call.send(hello);
    await heard.until(({ received }) => received !== undefined);
    server.streams.at(-1)?.write("no message");
    assert.equal((await heard.ended()).code, 13);
    await tap.until((frames) => frames.some(({ type }) => type === frameType.rstStream));
    assert.deepEqual(sent(), ["headers", `data of ${5 + hello.length}`, "reset with 8"]);
  });
});
