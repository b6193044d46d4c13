import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { flag, frame, frameType, headerBlock, Http2Peer } from "./http2-peer.ts";
import { stillOpen } from "./still-open.ts";
import { startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway({
    limits: { stallMs: 100 },
    heartbeat: { intervalMs: 50, patienceMs: 50 },
  });
});
after(() => sluice.close());

/** Connects, sends, and reads nothing at all. */
async function ask(head: string): Promise<Socket> {
  const socket = connect(sluice.port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.pause();
  socket.write(head);
  return socket;
}

async function askHttp2(path: string, headers: Record<string, string>, body: string): Promise<Socket> {
  // A window of no bytes for each stream.
  const peer = await Http2Peer.connect(sluice.port, "000400000000");
  const head = { ":method": "POST", ":path": path, ":scheme": "http", ":authority": "x", ...headers };
  peer.send(
    frame(frameType.headers, flag.endHeaders, 1, headerBlock(head)),
    frame(frameType.data, flag.endStream, 1, body),
  );
  return peer.socket;
}

const repeat = "GET /v1/repeat/x?count=0 HTTP/1.1\r\nhost: x\r\n";
const webSocket =
  "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
const send = "/sluice.test.v1.Echo/Send";
/** A message that asks for 64 KiB each, and no end. */
const endless = "000000000408808004";

const table: readonly [dialect: string, ask: () => Promise<Socket>][] = [
  ["REST", () => ask(`${repeat}\r\n`)],
  ["Server-Sent Events", () => ask(`${repeat}accept: text/event-stream\r\n\r\n`)],
  ["a download", () => ask("GET /v1/download-stream/1000000000?chunks=1000 HTTP/1.1\r\nhost: x\r\n\r\n")],
  ["REST over a WebSocket", () => ask(`${repeat}${webSocket}\r\n`)],
  ["gRPC", () => askHttp2(send, { "content-type": "application/grpc", te: "trailers" }, endless)],
  ["gRPC-Web", () => askHttp2(send, { "content-type": "application/grpc-web" }, endless)],
  ["Connect", () => askHttp2(send, { "content-type": "application/connect+proto" }, endless)],
];

describe("a client that does not read an endless answer is not waited for forever", () => {
  for (const [dialect, begin] of table) {
    test(`in ${dialect}`, async () => {
      const { started } = sluice.echo.calls;
      const socket = await begin();
      await sluice.echo.calls.until((calls) => calls.started > started);
      await sluice.echo.calls.until(({ open }) => open === 0, 20_000);
      socket.destroy();
      while (sluice.gateway.counts.connections > 0) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(stillOpen(sluice.gateway.counts), {});
    });
  }
});
