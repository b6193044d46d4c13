import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { acceptInto, createSseHandler, Hub, roomsByPattern } from "../../src/index.ts";
import { Queue } from "./support/queue.ts";
import { listen } from "./support/server.ts";
import { SessionClient } from "./support/session-client.ts";
import { StolenTime } from "./support/stolen-time.ts";
import { SseClient } from "./support/sse-client.ts";
import { WsClient } from "./support/ws-client.ts";

/** Nobody else may wait longer for a publication, in milliseconds. */
const bar = 100;
const publications = 400;
const text = "x".repeat(16_384);

/** A client that reads about a kilobyte a second: its socket stands still, but for a small read now and then. */
function readSlowly(socket: Socket): NodeJS.Timeout {
  socket.pause();
  return setInterval(() => socket.read(100), 100);
}

/** Opens a raw connection, and reads no more once the head of the answer is there. */
async function slowClient(context: TestContext, port: number, lines: readonly string[]): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  context.after(() => socket.destroy());
  socket.write(`${[...lines, "Host: x"].join("\r\n")}\r\n\r\n`);
  await once(socket, "readable");
  socket.read();
  const timer = readSlowly(socket);
  context.after(() => clearInterval(timer));
  return socket;
}

const upgrade = [
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
];

/** Those who listen, ten of them, on each of the faces; what they were told goes to `heard`. */
async function tenListeners(
  context: TestContext,
  port: number,
  heard: (data: string) => void,
): Promise<void> {
  for (let index = 0; index < 4; index++) {
    const raw = await WsClient.connect(context, port);
    raw.socket.on("message", (data: Buffer) => heard(data.toString()));
    const { client } = await SessionClient.connect(context, port);
    client.ws.socket.on("message", (data: Buffer) => {
      heard((JSON.parse(data.toString()) as { data: string }).data);
    });
  }
  for (let index = 0; index < 2; index++) {
    const stream = await SseClient.connect(context, port, "/");
    await stream.json("sluice.session");
    void (async () => {
      for (;;) heard((await stream.next()).data);
    })();
  }
}

describe("one client that reads a kilobyte a second in a room of eleven", () => {
  const faces: [name: string, lines: readonly string[]][] = [
    ["websocket", ["GET / HTTP/1.1", ...upgrade]],
    ["packet", ["GET / HTTP/1.1", ...upgrade, "Sec-WebSocket-Protocol: sluice.packet.v1"]],
    ["sse", ["GET / HTTP/1.1", "Accept: text/event-stream"]],
  ];
  for (const [name, lines] of faces) {
    for (const slow of ["close", "drop_oldest", "latest"] as const) {
      test(`of the face ${name} delays no other, and is bounded by its policy ${slow}`, async (context) => {
        const hub = new Hub({ rooms: roomsByPattern({ "*": { slow } }) });
        const http = createServer(createSseHandler(hub));
        http.on("upgrade", acceptInto(hub));
        const port = await listen(context, http, hub);
        const stolen = new StolenTime(context);
        let worst = 0;
        let gross = 0;
        const heard = new Queue<number>();
        await tenListeners(context, port, (data) => {
          heard.push(performance.now() - Number(data.split(" ", 1)[0]));
        });
        const joined = new Promise<void>((resolve) => {
          hub.onConnect((session) => void session.join("room").then(() => resolve()));
        });
        for (const session of hub.sessions) await session.join("room");
        await slowClient(context, port, lines);
        await joined;
        assert.equal(hub.size, 11);
        for (let index = 0; index < publications; index++) {
          stolen.reset();
          await hub.publish("room", `${performance.now()} ${text}`);
          // One after the other, so that only the slow one can make the others wait.
          const delay = Math.max(...(await heard.take(10)));
          worst = Math.max(worst, delay - stolen.read());
          gross = Math.max(gross, delay);
        }
        context.diagnostic(
          `worst delay of ${publications * 10} deliveries to the others: ${worst.toFixed(1)} ms, with what the machine took from this process ${gross.toFixed(1)} ms`,
        );
        assert.ok(worst < bar, `${worst} ms`);
        const { dropped, closed } = hub.counts;
        if (slow === "close") assert.equal(closed[4413], 1);
        else assert.ok(dropped.slow > 0);
      });
    }
  }
});
