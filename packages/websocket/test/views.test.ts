/* eslint-disable unicorn/prefer-add-event-listener -- the properties are under test too */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import {
  acceptWebSocket,
  connectWebSocket,
  EventWebSocket,
  MessageInbox,
  type SocketCloseEvent,
  SocketErrorEvent,
  type SocketMessageEvent,
  WebSocketDuplex,
} from "../src/index.ts";
import { createServer } from "node:http";
import { frame } from "./support/frames.ts";
import { echo, Journal } from "./support/journal.ts";
import { rawClient } from "./support/raw-client.ts";
import { listen, start } from "./support/server.ts";

describe("a message inbox", () => {
  test("loses nothing before the loop begins, and ends with the connection", async (context) => {
    const inbox = new MessageInbox();
    const server = await listen(context, { handlers: inbox });
    const client = await connectWebSocket(server.url);
    for (let index = 0; index < 5; index++) client.send(`${index}`);
    client.send(Uint8Array.of(5));
    client.close(1000, "done");
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    const seen: string[] = [];
    for await (const { data, isBinary } of inbox) {
      seen.push(isBinary ? data.toString("hex") : data.toString());
      if (seen.length === 2) break;
    }
    for await (const { data, isBinary } of inbox)
      seen.push(isBinary ? data.toString("hex") : data.toString());
    assert.deepEqual(seen, ["0", "1", "2", "3", "4", "05"]);
    assert.deepEqual(inbox.closed, { code: 1000, reason: "done", clean: true });
  });

  test("pauses the connection while messages wait, and goes on as they are read", async (context) => {
    const inbox = new MessageInbox();
    const server = await listen(context, { handlers: inbox });
    const client = await connectWebSocket(server.url);
    const block = Buffer.alloc(40_000);
    for (let index = 0; index < 50; index++) client.send(block);
    client.close();
    while (server.connections[0]?.isPaused !== true) await later();
    let count = 0;
    for await (const { data } of inbox) {
      count++;
      assert.equal(data.length, 40_000);
    }
    assert.equal(count, 50);
  });

  test("throws when the connection is lost", async (context) => {
    const inbox = new MessageInbox();
    const server = await listen(context, { handlers: inbox });
    const socket = await rawClient(context, server.port);
    socket.end(frame(0x81, "last", Buffer.alloc(4)));
    const seen: string[] = [];
    await assert.rejects(
      async () => {
        for await (const { data } of inbox) seen.push(data.toString());
      },
      { code: "connection_lost" },
    );
    assert.deepEqual(seen, ["last"]);
  });
});

describe("a duplex stream", () => {
  test("carries bytes both ways with back-pressure, and ends cleanly", async (context) => {
    const http = createServer();
    http.on("upgrade", (request, socket, head) => {
      const stream = new WebSocketDuplex();
      acceptWebSocket(request, socket, head, { handlers: stream.handlers });
      stream.pipe(stream);
    });
    const port = await start(context, http);
    const stream = new WebSocketDuplex();
    await connectWebSocket(`ws://127.0.0.1:${port}`, { handlers: stream.handlers });
    const size = 5_000_000;
    let received = 0;
    const finished = pipeline(
      stream,
      new Writable({
        write(chunk: Buffer, _encoding, callback) {
          received += chunk.length;
          if (received === size) stream.end();
          setImmediate(callback);
        },
      }),
    );
    const parts = Array.from({ length: 100 }, () => Buffer.alloc(size / 100));
    Readable.from(parts).pipe(stream, { end: false });
    await finished;
    assert.equal(received, size);
  });

  test("is destroyed with the error of a connection that is lost", async (context) => {
    const stream = new WebSocketDuplex();
    const server = await listen(context, { handlers: stream.handlers });
    const socket = await rawClient(context, server.port);
    socket.write(frame(0x81, "x"));
    const [error] = (await once(stream, "error")) as [{ code: string }];
    assert.equal(error.code, "protocol_error");
    assert.ok(stream.destroyed);
  });

  test("terminates its connection when it is destroyed", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal });
    const stream = new WebSocketDuplex();
    await connectWebSocket(server.url, { handlers: stream.handlers });
    stream.destroy();
    assert.equal((await journal.end()).code, 1006);
  });
});

describe("an event WebSocket", () => {
  test("has the browser's events and states", async (context) => {
    const server = await listen(context, { handlers: echo, protocols: ["chat"] });
    const socket = new EventWebSocket(server.url, "chat");
    assert.equal(socket.readyState, EventWebSocket.CONNECTING);
    assert.throws(() => socket.send("early"), /before/);
    const seen: unknown[] = [];
    socket.onopen = () => {
      seen.push(socket.readyState, socket.protocol);
      socket.send("text");
      socket.send(Uint8Array.of(1, 2).buffer);
    };
    socket.addEventListener("message", (event) => {
      const { data } = event as SocketMessageEvent;
      seen.push(data);
      if (typeof data === "string") socket.binaryType = "arraybuffer";
      else socket.close(4000, "enough");
    });
    const close = await new Promise<SocketCloseEvent>((resolve) => {
      socket.onclose = resolve;
    });
    assert.deepEqual(seen, [1, "chat", "text", Uint8Array.of(1, 2).buffer]);
    assert.deepEqual([close.code, close.reason, close.wasClean], [4000, "enough", true]);
    assert.equal(socket.readyState, EventWebSocket.CLOSED);
    assert.throws(() => socket.close(1001), RangeError);
  });

  test("throws for what can never connect, as the browser's does", () => {
    assert.throws(() => new EventWebSocket("http://example.com"), { code: "url_invalid" });
    assert.throws(() => new EventWebSocket("ws://example.com", ["a", "a"]), RangeError);
  });

  test("gives an error and a close when it cannot connect, or is closed before", async () => {
    for (const giveUp of [false, true]) {
      const socket = new EventWebSocket("ws://127.0.0.1:1");
      const codes: string[] = [];
      socket.addEventListener("error", (event) => {
        assert.ok(event instanceof SocketErrorEvent);
        codes.push(event.error.code);
      });
      if (giveUp) socket.close();
      const close = await new Promise<SocketCloseEvent>((resolve) => {
        socket.onclose = resolve;
      });
      assert.equal(close.code, 1006);
      assert.deepEqual(codes, [giveUp ? "aborted" : "connect_failed"]);
    }
  });
});

test("the client ws reads what a duplex writes", async (context) => {
  const stream = new WebSocketDuplex();
  const server = await listen(context, { handlers: stream.handlers });
  const client = new WebSocket(server.url);
  await once(client, "open");
  stream.write("bytes");
  const [data, isBinary] = (await once(client, "message")) as [Buffer, boolean];
  assert.deepEqual([data.toString(), isBinary], ["bytes", true]);
  stream.end();
  const [code] = (await once(client, "close")) as [number];
  assert.equal(code, 1000);
});

function later(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
