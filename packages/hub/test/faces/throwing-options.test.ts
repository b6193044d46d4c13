import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { createSseHandler, Hub, type SocketFacesOptions } from "../../src/index.ts";
import { PacketClient } from "./support/packet-client.ts";
import { startHttp, startHub } from "./support/server.ts";
import { exchange } from "./support/sse-client.ts";
import { WsClient } from "./support/ws-client.ts";

function fail(): never {
  throw new Error("the application failed");
}

/** A server whose faces have these options, and what `onError` was told. */
async function start(
  context: TestContext,
  options: SocketFacesOptions,
): Promise<{ readonly port: number; readonly errors: string[]; readonly hub: Hub }> {
  const { hub, port } = await startHub(context, {}, options);
  return { hub, port, errors: errorsOf(hub) };
}

function errorsOf(hub: Hub): string[] {
  const errors: string[] = [];
  hub.onError((_session, error) => errors.push(String(error)));
  return errors;
}

const told = ["Error: the application failed"];

describe("what a function of the application throws goes to onError", () => {
  test("and closes a client with 1011 whose address could not be found out", async (context) => {
    const { hub, port, errors } = await start(context, { address: fail });
    const client = await WsClient.connect(context, port);
    client.send("hello?");
    assert.deepEqual(await client.closed, { code: 1011, reason: "the server failed" });
    assert.deepEqual(errors, told);
    assert.equal(hub.size, 0);
  });

  test("and closes a client with 1011 the type of whose packet could not be looked up", async (context) => {
    const { hub, port, errors } = await start(context, { packetTypes: fail });
    const client = await PacketClient.connect(context, port);
    client.send({ type: 1 });
    assert.deepEqual(await client.ws.closed, { code: 1011, reason: "the server failed" });
    assert.deepEqual(errors, told);
    assert.equal(hub.size, 0);
  });

  test("and refuses pages whose origin could not be judged", async (context) => {
    const { port, errors } = await start(context, { origin: fail, refused: fail });
    const headers = { origin: "https://somewhere.example" };
    await assert.rejects(WsClient.connect(context, port, { headers }), /403/);
    assert.deepEqual(errors, [...told, ...told]);
  });

  test("and answers a request for an event stream with 500", async (context) => {
    const hub = new Hub();
    const errors = errorsOf(hub);
    const port = await startHttp(context, hub, createSseHandler(hub, { address: fail }));
    const { status, body } = await exchange(port, { path: "/", headers: { accept: "text/event-stream" } });
    assert.equal(status, 500);
    assert.deepEqual(JSON.parse(body), { error: { code: "INTERNAL", message: "the server failed" } });
    assert.deepEqual(errors, told);
  });
});
