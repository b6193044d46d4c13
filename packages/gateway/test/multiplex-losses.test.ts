import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Code, FrameType, MULTIPLEX_PROTOCOL } from "@sluice/protocol";
import { createHttp2Backend, reflectSchema } from "@sluice/rpc";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { connectWebSocket, type WebSocketConnection, type WebSocketHandlers } from "@sluice/websocket";
import { WebSocket } from "ws";
import { createLogger, Gateway } from "../src/index.ts";
import { MultiplexClient, until, type OpenCall } from "./multiplex-client.ts";
import { stillOpen } from "./still-open.ts";
import { startTestGateway } from "./support.ts";

const echo = (name: string): string => `sluice.test.v1.Echo/${name}`;
const library = (name: string): string => `sluice.test.v1.Library/${name}`;

describe("a backend that is killed in the middle of its calls", () => {
  let killed: EchoServer;
  let other: EchoServer;
  let gateway: Gateway;
  let url: string;
  before(async () => {
    killed = await startEchoServer({ services: ["sluice.test.v1.Echo"] });
    other = await startEchoServer({ services: ["sluice.test.v1.Library"] });
    const upstreams = [killed, other].map(({ address }) => {
      const backend = createHttp2Backend(address);
      return { name: address, backend, loadSchema: () => reflectSchema(backend) };
    });
    gateway = new Gateway({ upstreams, log: createLogger("silent") });
    const { port } = await gateway.start("127.0.0.1", 0);
    url = `ws://127.0.0.1:${port}`;
  });
  after(async () => {
    await gateway.close(0);
    await killed.close();
    await other.close();
  });

  test("ends each of them once with UNAVAILABLE, on both wires, and those of no other", async () => {
    /** The calls for which a STATUS came, in order. */
    const ended: number[] = [];
    const client = await MultiplexClient.connect(url, { connect: (handlers) => tapped(handlers, ended) });
    const calls = Array.from({ length: 40 }, (_, index) => openCall(client, index));
    const sockets = ["Repeat", "Converse", "Collect", "Sleep"].map((name) => new LoneCall(url, name));
    const upload = client.open({ method: library("UploadStream"), encoding: "json" });
    upload.call.send(Buffer.from('{"contentType":"a/b","data":"AAEC"}'));
    await until(
      () => calls.every(({ messages }, index) => index % 4 >= 2 || messages.length > 0),
      "streams have begun",
    );
    await Promise.all(sockets.map(({ begun }) => begun));
    await killed.calls.until(({ open }) => open === calls.length + sockets.length);
    await other.calls.until(({ records }) => records.some(({ received }) => received === 1));
    const connected = other.connections.accepted;

    await killed.kill();
    for (const open of calls) {
      const { code, message } = await open.ended;
      assert.equal(code, Code.UNAVAILABLE, message);
    }
    for (const { closed } of sockets) {
      const { code, statuses } = await closed;
      assert.equal(code, 1000);
      assert.deepEqual(statuses, [String(Code.UNAVAILABLE)]);
    }
    await until(() => gateway.counts.multiplexCalls === 1, "only the call of the other backend is open");

    // It goes on, on the socket and the connection that it had.
    upload.call.send(Buffer.from('{"contentType":"a/b","data":"AwQ="}'));
    upload.call.halfClose();
    const { code, message } = await upload.ended;
    assert.equal(code, Code.OK, message);
    assert.equal(other.connections.accepted, connected);
    assert.deepEqual((await client.call({ method: library("GetBook") }, [{ name: "x" }])).messages, [
      { name: "x" },
    ]);
    await client.close();
    const numbers = Array.from({ length: calls.length + 2 }, (_, index) => index + 1);
    assert.deepEqual(
      ended.toSorted((a, b) => a - b),
      numbers,
      "each call has one STATUS",
    );
    while (gateway.counts.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(stillOpen(gateway.counts), {});
  });

  /** A WebSocket on which the calls are noted for which a STATUS comes. */
  function tapped(handlers: WebSocketHandlers, ended: number[]): Promise<WebSocketConnection> {
    return connectWebSocket(url, {
      protocols: [MULTIPLEX_PROTOCOL],
      handlers: {
        ...handlers,
        message: (connection, data, isBinary) => {
          for (let at = 0; at < data.length; at += 8 + data.readUInt16BE(at + 2)) {
            if (data[at] === FrameType.STATUS) ended.push(data.readUInt32BE(at + 4));
          }
          handlers.message?.(connection, data, isBinary);
        },
      },
    });
  }
});

/** Opens a call of one of four kinds. */
function openCall(client: MultiplexClient, index: number): OpenCall {
  const name = ["Repeat", "Converse", "Collect", "Sleep"][index % 4] ?? "";
  const open = client.open({ method: echo(name), encoding: "json" });
  open.call.send(Buffer.from(name === "Sleep" ? "{}" : '{"text":"endless"}'));
  if (name === "Repeat" || name === "Sleep") open.call.halfClose();
  return open;
}

/** A call on a socket of its own, as bytes. */
class LoneCall {
  /** Resolves when the call has got what shows that it is in the middle; at once where nothing does. */
  readonly begun: Promise<unknown>;
  readonly closed: Promise<{ readonly code: number; readonly statuses: readonly string[] }>;

  constructor(url: string, name: string) {
    const socket = new WebSocket(`${url}/${echo(name)}`, ["grpc-websockets"]);
    const received: Buffer[] = [];
    socket.on("message", (data: Buffer) => received.push(data));
    socket.on("open", () => {
      socket.send(Buffer.from("content-type: application/grpc-web+proto\r\n"));
      const message = name === "Sleep" ? "000000000000" : "0000000000090a07656e646c657373";
      socket.send(Buffer.from(message, "hex"));
      if (name === "Repeat" || name === "Sleep") socket.send(Buffer.from([1]));
    });
    const isAnswered = name === "Repeat" || name === "Converse";
    this.begun = isAnswered ? once(socket, "message") : once(socket, "open");
    this.closed = once(socket, "close").then(([code]) => ({
      code: code as number,
      statuses: [
        ...Buffer.concat(received)
          .toString("latin1")
          .matchAll(/grpc-status: (\d+)/g),
      ].map(([, status = ""]) => status),
    }));
  }
}

test("a client that is killed in the middle of its calls leaves none of them behind", async () => {
  const sluice = await startTestGateway();
  const file = fileURLToPath(new URL("multiplex-client-process.ts", import.meta.url));
  const client = fork(file, [sluice.ws], { execArgv: ["--import", "tsx", "--conditions=@sluice/source"] });
  const [opened] = (await once(client, "message")) as [number];
  assert.equal(opened, 8);
  await sluice.echo.calls.until(({ open }) => open === opened);
  const exited = once(client, "exit");
  client.kill("SIGKILL");
  await exited;
  await sluice.echo.calls.until(({ open }) => open === 0);
  for (const { path, state } of sluice.echo.calls.records) {
    // What has not been ended by its client, the server may answer before it looks why it has ended.
    if (/Repeat|Send|Sleep/.test(path)) assert.equal(state, "cancelled", path);
  }
  while (sluice.gateway.counts.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(stillOpen(sluice.gateway.counts), {});
  const answer = await MultiplexClient.connect(sluice.ws);
  assert.deepEqual((await answer.call({ method: echo("Say") }, [{ text: "on" }])).messages, [{ text: "on" }]);
  await answer.close();
  await sluice.close();
});
