import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import {
  connectWebSocket,
  type MessageStream,
  type WebSocketConnection,
  WebSocketError,
  type WebSocketHandlers,
} from "../src/index.ts";
import { frame } from "./support/frames.ts";
import { Journal } from "./support/journal.ts";
import { rawClient } from "./support/raw-client.ts";
import { listen } from "./support/server.ts";

const mask = Buffer.from("12345678", "hex");

/** Reads streams one after the other and tells what they were. */
class StreamReader implements WebSocketHandlers {
  readonly journal = new Journal();
  connection: WebSocketConnection | undefined;

  open(connection: WebSocketConnection): void {
    this.connection = connection;
  }

  stream(connection: WebSocketConnection, message: MessageStream): void {
    void this.#read(connection, message);
  }

  ping(connection: WebSocketConnection, payload: Buffer): void {
    this.journal.ping(connection, payload);
  }

  close(...closed: Parameters<Journal["close"]>): void {
    this.journal.close(...closed);
  }

  async #read(connection: WebSocketConnection, message: MessageStream): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of message) parts.push(part);
      this.journal.message(connection, Buffer.concat(parts), message.isBinary);
    } catch (error) {
      assert.ok(error instanceof WebSocketError);
      this.journal.add(`error ${error.code} after ${Buffer.concat(parts).length}`);
    }
  }
}

describe("a message stream", () => {
  test("reads messages of every size in order, with pings between", async (context) => {
    const reader = new StreamReader();
    const server = await listen(context, { handlers: reader, compression: true });
    for (const perMessageDeflate of [false, true]) {
      reader.journal.entries.length = 0;
      const client = new WebSocket(server.url, { perMessageDeflate });
      await once(client, "open");
      const texts: string[] = [];
      const pings: string[] = [];
      for (const size of [0, 1, 1000, 200_000, 0, 3_000_000, 5]) {
        const text = "ä".repeat(size / 2);
        client.send(text);
        client.ping(`${size}`);
        texts.push(`text ${text}`);
        pings.push(`ping ${size}`);
      }
      const entries = await reader.journal.count(texts.length + pings.length);
      const read = entries.filter((entry) => entry.startsWith("text"));
      assert.equal(read.join() === texts.join(), true);
      assert.deepEqual(
        entries.filter((entry) => entry.startsWith("ping")),
        pings,
      );
      client.terminate();
    }
  });

  test("reads a message far over the limit with bounded memory", async (context) => {
    let most = 0;
    let total = 0;
    let done: (() => void) | undefined;
    const finished = new Promise<void>((resolve) => {
      done = resolve;
    });
    const server = await listen(context, {
      limits: { maxMessageBytes: 1000, maxFramingBytes: 100 },
      handlers: {
        stream(_connection, message) {
          void (async () => {
            for await (const part of message) {
              most = Math.max(most, part.length);
              total += part.length;
              // As slow as one piece a turn.
              await new Promise((resolve) => {
                setImmediate(resolve);
              });
            }
            done?.();
          })();
        },
      },
    });
    const client = await connectWebSocket(server.url);
    const writer = client.startMessage(true);
    const block = Buffer.alloc(50_000);
    for (let index = 0; index < 200; index++) {
      if (!writer.write(block)) await client.ready();
    }
    assert.ok(client.bufferedAmount < 200_000);
    writer.end();
    await finished;
    assert.equal(total, 10_000_000);
    assert.ok(most <= 65_536);
  });

  test("holds up the peer while nobody reads, and goes on after the loop is left", async (context) => {
    const streams: MessageStream[] = [];
    const journal = new Journal();
    const server = await listen(context, {
      handlers: {
        stream(connection, message) {
          streams.push(message);
          journal.message(connection, Buffer.from(`stream ${streams.length}`), false);
        },
      },
    });
    const socket = await rawClient(context, server.port);
    socket.write(
      Buffer.concat([frame(0x81, "one", mask), frame(0x81, "two", mask), frame(0x81, "three", mask)]),
    );
    await journal.count(1);
    assert.equal(streams.length, 1);
    // Which the heartbeat must not take for a dead peer.
    assert.equal(server.connections[0]?.isPaused, true);
    for await (const part of streams[0]!) {
      assert.equal(part.toString(), "one");
      break;
    }
    await journal.count(2);
    streams[1]?.cancel();
    await journal.count(3);
    for await (const part of streams[2]!) assert.equal(part.toString(), "three");
    for await (const _ of streams[2]!) assert.fail("a stream is read once");
  });

  test("fails with the connection's error", async (context) => {
    const reader = new StreamReader();
    const server = await listen(context, { handlers: reader });
    const socket = await rawClient(context, server.port);
    socket.end(frame(0x02, "some", mask));
    await reader.journal.count(2);
    assert.deepEqual(reader.journal.entries.toSorted(), ["close 1006", "error connection_lost after 4"]);
    const wrong = await rawClient(context, server.port);
    wrong.write(Buffer.concat([frame(0x01, "ok", mask), frame(0x80, Buffer.from([0xff]), mask)]));
    await reader.journal.count(4);
    assert.ok(reader.journal.entries.includes("error payload_invalid after 2"));
  });
});

describe("a message writer", () => {
  test("sends fragments with control frames between, compressed connection or not", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: {}, compression: { threshold: 0 } });
    for (const compression of [false, true]) {
      journal.entries.length = 0;
      await connectWebSocket(server.url, { handlers: journal, compression });
      const connection = server.connections.at(-1)!;
      connection.send("x".repeat(50_000));
      const writer = connection.startMessage();
      writer.write("gr");
      connection.ping("p");
      writer.write(Buffer.from("üße"));
      assert.throws(() => connection.send("other"), /another message/);
      assert.throws(() => connection.startMessage(), /another message/);
      writer.end("!");
      assert.throws(() => writer.write("more"), /has ended/);
      connection.startMessage(true).end();
      connection.send("after");
      await journal.count(5);
      const [large, ...rest] = journal.entries.filter((entry) => entry !== "ping p");
      assert.equal(large?.length, 50_005);
      assert.deepEqual(rest, ["text grüße!", "binary ", "text after"]);
    }
  });

  test("is refused room on a connection that has ended", async (context) => {
    const server = await listen(context, { handlers: {} });
    const socket = await rawClient(context, server.port);
    socket.pause();
    const connection = server.connections[0]!;
    const block = Buffer.alloc(100_000);
    while (connection.send(block)) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    const waiting = connection.ready();
    connection.terminate();
    await assert.rejects(waiting, { code: "connection_lost" });
    await assert.rejects(connection.ready(), { code: "connection_lost" });
  });
});
