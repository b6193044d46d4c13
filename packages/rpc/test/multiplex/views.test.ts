import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { Code, createClientMultiplex, MULTIPLEX_PROTOCOL, type Call, type Status } from "@sluice/protocol";
import { connectWebSocket } from "@sluice/websocket";
import { createBalancedBackend, createCodec } from "../../src/index.ts";
import { MultiplexDialect } from "../../src/multiplex/multiplex-dialect.ts";
import { webSocketRequestFromUpgrade } from "../../src/wire/web-socket-request.ts";
import { converse, eventually, open, say } from "../backend/harness.ts";
import { framed, grpcHeaders, startScriptedServer } from "../backend/scripted-server.ts";

/** A gateway of one dialect before a server that gives back the bytes of each call. Resolves to its URL. */
async function start(context: TestContext): Promise<string> {
  const server = await startScriptedServer((stream) => {
    stream.respond({ ...grpcHeaders }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.pipe(stream);
  });
  const backend = createBalancedBackend(server.address);
  const entry = {
    method: converse,
    backend,
    input: createCodec(converse.input),
    output: createCodec(converse.output),
    any: createCodec(AnySchema),
  };
  const dialect = new MultiplexDialect({
    methods: () => ({ find: () => entry }),
  });
  const http = createServer();
  http.on("upgrade", (request, socket, head) =>
    dialect.accept(webSocketRequestFromUpgrade(request, socket, head)),
  );
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  context.after(async () => {
    dialect.closeAll("the test is over");
    http.close();
    await backend.close(0);
    await server.close();
  });
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`;
}

interface Client {
  /** Opens a call of the echo. */
  open(onMessage: (bytes: Uint8Array) => void): { call: Call; ended: Promise<Status> };
  close(): void;
}

async function connect(url: string): Promise<Client> {
  const connection = await connectWebSocket(url, {
    protocols: [MULTIPLEX_PROTOCOL],
    handlers: {
      message: (_connection, data) => multiplex.receive(data),
      drain: () => multiplex.drain(),
      close: (_connection, { code, reason }) => multiplex.closed(code, reason),
    },
  });
  const multiplex = createClientMultiplex(connection, { defer: setImmediate });
  return {
    open(message) {
      let end: (status: Status) => void;
      const ended = new Promise<Status>((resolve) => (end = resolve));
      const call = multiplex.open(
        { method: converse.path.slice(1) },
        { headers() {}, message, drain() {}, end: (status) => end(status) },
      );
      return { call, ended };
    },
    close: () => connection.close(),
  };
}

/** Lengths around all the borders: of what is copied, of a chunk, of a frame of HTTP/2, of a read. */
const lengths = [
  0, 1, 100, 4_000, 4_096, 8_192, 16_378, 16_379, 16_380, 16_384, 16_385, 40_000, 65_536, 70_000,
];

function bodyOf(call: number, message: number): Buffer {
  return Buffer.alloc(lengths[(call + message) % lengths.length] ?? 0, `${call}.${message};`);
}

test("no message of calls at once on many sockets has bytes of another, whoever waits for whom", async (context) => {
  const url = await start(context);
  const clients = await Promise.all(Array.from({ length: 8 }, () => connect(url)));
  const messages = 28;
  let number = 0;
  // The first of all calls are opened before there is a connection to the server, and so keep what they send.
  const ends = clients.flatMap((client) =>
    Array.from({ length: 6 }, async () => {
      const own = number++;
      let done: () => void;
      const isDone = new Promise<void>((resolve) => (done = resolve));
      let received = 0;
      let sent = 0;
      const { call, ended } = client.open((bytes) => {
        assert.ok(bodyOf(own, received).equals(bytes), `message ${received} of call ${own}`);
        // Some have one message under way, others several; some stop reading for a while.
        if (++received === messages) done();
        if (sent < messages) call.send(bodyOf(own, sent++));
        if (received % 5 === own % 5) {
          call.pause();
          setImmediate(() => call.resume());
        }
      });
      for (const ahead = 1 + (own % 4); sent < ahead;) call.send(bodyOf(own, sent++));
      await Promise.race([isDone, ended]);
      call.halfClose();
      assert.deepEqual(await ended, { code: Code.OK, message: "" });
      assert.equal(received, messages);
    }),
  );
  await Promise.all(ends);
  for (const client of clients) client.close();
});

test("a reply that is held until its status has come is still the same then", async (context) => {
  let sayStream: ServerHttp2Stream | undefined;
  const server = await startScriptedServer((stream, { ":path": path }) => {
    stream.respond({ ...grpcHeaders }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.write(framed(Buffer.alloc(20_000, path)));
    if (path === say.path) sayStream = stream;
  });
  context.after(() => server.close());
  const backend = createBalancedBackend(server.address, { retry: {} });
  context.after(() => backend.close(0));
  const held = open(backend, say, { takesViews: true });
  held.call.send(Buffer.alloc(1));
  held.call.halfClose();
  await eventually(() => sayStream !== undefined);
  // What comes for these comes behind it, into the same memory.
  for (let count = 0; count < 5; count++) {
    const other = open(backend, converse, { takesViews: true });
    other.call.send(Buffer.alloc(1));
    await other.heard.until(({ events }) => events.includes("message"));
  }
  assert.deepEqual(held.heard.events, []);
  sayStream?.end();
  assert.equal((await held.heard.ended()).code, Code.OK);
  assert.deepEqual(held.heard.messages, [Buffer.alloc(20_000, say.path)]);
});
