import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp1Server } from "node:http";
import { connect, createServer } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { describe, test, type TestContext } from "node:test";
import {
  acceptHttp2WebSocket,
  acceptWebSocket,
  connectHttp2WebSocket,
  connectWebSocket,
  type ConnectOptions,
  type WebSocketConnection,
} from "@sluice/websocket";
import { EngineServer } from "../src/index.ts";
import { Inbox } from "./support/inbox.ts";

const path = "/engine.io/?EIO=4&transport=websocket";

async function listening(context: TestContext, server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** How a server that takes the requests itself hands them on, and how a client asks it for a WebSocket. */
type Way = (
  context: TestContext,
  engine: EngineServer,
) => Promise<(path: string, options: ConnectOptions) => Promise<WebSocketConnection>>;

const overHttp1: Way = async (context, engine) => {
  const server = createHttp1Server();
  server.on("upgrade", (request, socket, head) => {
    engine.handleWebSocket({
      request,
      accept: (options) => acceptWebSocket(request, socket, head, options),
      refuse: (httpStatus, json) =>
        socket.end(`HTTP/1.1 ${httpStatus} No\r\ncontent-length: ${json.length}\r\n\r\n${json}`),
    });
  });
  const port = await listening(context, server);
  return (target, options) => connectWebSocket(`ws://127.0.0.1:${port}${target}`, options);
};

const overHttp2: Way = async (context, engine) => {
  const settings = { enableConnectProtocol: true };
  const server = createServer({ settings }, (_request, response) => response.end());
  server.on("connect", (request) => {
    engine.handleWebSocket({
      request,
      accept: (options) => acceptHttp2WebSocket(request.stream, request.headers, options),
      refuse: (httpStatus, json) => {
        request.stream.respond({ ":status": httpStatus });
        request.stream.end(json);
      },
    });
  });
  const session = connect(`http://127.0.0.1:${await listening(context, server)}`);
  context.after(() => session.destroy());
  return (target, options) => connectHttp2WebSocket(session, target, options);
};

for (const [name, way] of [
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
] as const) {
  describe(`a request for a WebSocket over ${name} that something else has taken`, () => {
    test("begins a session", async (context) => {
      const engine = new EngineServer({}, { message: (session, data) => void session.send(data) });
      context.after(() => engine.close());
      const open = await way(context, engine);
      const messages = new Inbox<string>();
      const connection = await open(path, {
        handlers: { message: (_connection, data) => messages.add(data.toString()) },
      });
      assert.match(await messages.next(), /^0\{"sid":/);
      connection.sendText(Buffer.from("4hello"));
      assert.equal(await messages.next(), "4hello");
      assert.equal(engine.clientsCount, 1);
      connection.close();
    });

    test("is refused as others are", async (context) => {
      const engine = new EngineServer();
      const refused: string[] = [];
      engine.on("connection_error", ({ message }) => refused.push(message));
      const open = await way(context, engine);
      await assert.rejects(open("/engine.io/?EIO=2&transport=websocket", {}), /400/);
      await assert.rejects(open(path, { headers: { origin: "https://evil.example" } }), /403/);
      assert.deepEqual(refused, ["Unsupported protocol version", "Forbidden"]);
      assert.equal(engine.clientsCount, 0);
    });
  });
}
