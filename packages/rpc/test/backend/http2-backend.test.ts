import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createHttp2Backend, type Http2Backend } from "@sluice/rpc";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { collect, converse, message, open, repeat, run, say } from "./harness.ts";

describe("an HTTP/2 backend and a grpc-js server", () => {
  let server: EchoServer;
  let backend: Http2Backend;
  before(async () => {
    server = await startEchoServer();
    backend = createHttp2Backend(server.address);
  });
  after(async () => {
    await backend.close(0);
    await server.close();
  });

  test("make a unary call", async () => {
    const heard = await run(backend, say, [message([1, "hello"])]);
    assert.deepEqual(heard.texts, ["hello"]);
    assert.deepEqual(heard.status, { code: 0, message: "OK" });
    assert.deepEqual(heard.events, ["headers", "message", "end"]);
  });

  test("make a server-streaming call", async () => {
    const heard = await run(backend, repeat, [message([1, "again"], [2, 3])]);
    assert.deepEqual(heard.texts, ["again", "again", "again"]);
    assert.equal(heard.status?.code, 0);
  });

  test("make a client-streaming call", async () => {
    const heard = await run(backend, collect, [message([1, "a"]), message([1, "b"])]);
    assert.deepEqual(heard.messages.map(String), ["\n\x01a\n\x01b"]);
    assert.equal(heard.status?.code, 0);
  });

  test("make a bidirectional call, message by message", async () => {
    const { call, heard } = open(backend, converse);
    for (const text of ["one", "two", "three"]) {
      const already = heard.messages.length;
      call.send(message([1, text]));
      await heard.until(({ messages }) => messages.length > already);
    }
    call.halfClose();
    assert.equal((await heard.ended()).code, 0);
    assert.deepEqual(heard.texts, ["one", "two", "three"]);
  });
});
