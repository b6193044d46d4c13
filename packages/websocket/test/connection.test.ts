import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { Duplex } from "node:stream";
import { type Closed, connectWebSocket, defaultLimits, type WebSocketConnection } from "../src/index.ts";
import { SocketConnection } from "../src/socket-connection.ts";
import { frame } from "./support/frames.ts";
import { echo, Journal } from "./support/journal.ts";
import { rawClient } from "./support/raw-client.ts";
import { listen } from "./support/server.ts";

const mask = Buffer.from("12345678", "hex");

async function received(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of socket as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString("hex");
}

describe("a connection", () => {
  test("echoes messages of every size to the client ws", async (context) => {
    const server = await listen(context, { handlers: echo });
    const client = new WebSocket(server.url);
    await once(client, "open");
    for (const size of [0, 1, 125, 126, 1000, 16_383, 16_384, 65_535, 65_536, 1_000_000]) {
      for (const message of ["ü".repeat(size / 2), "x".repeat(size), Buffer.alloc(size, 1)]) {
        client.send(message);
        const [data, isBinary] = (await once(client, "message")) as [Buffer, boolean];
        assert.equal(isBinary, typeof message !== "string");
        assert.ok(data.equals(Buffer.from(message)), `${typeof message} of ${size}`);
      }
    }
    client.close(1000, "done");
    const [code, reason] = (await once(client, "close")) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [1000, "done"]);
  });

  test("as a client exchanges messages of every size with the server ws", async (context) => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    context.after(() => server.close());
    server.on("connection", (socket) => {
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await once(server, "listening");
    const journal = new Journal();
    const { port } = server.address() as { port: number };
    const client = await connectWebSocket(`ws://127.0.0.1:${port}`, { handlers: journal });
    const expected: string[] = [];
    for (const size of [0, 1, 125, 126, 1000, 16_383, 16_384, 65_535, 65_536, 1_000_000]) {
      client.send("é".repeat(size));
      expected.push(`text ${"é".repeat(size)}`);
      const bytes = Buffer.alloc(size, "abc");
      client.send(bytes);
      expected.push(`binary ${bytes.toString("hex")}`);
      assert.ok(bytes.equals(Buffer.alloc(size, "abc")), "the caller's bytes are as they were");
    }
    client.close(4000, "bye");
    expected.push("close 4000 bye");
    await journal.end();
    assert.ok(journal.entries.join() === expected.join());
    assert.equal(journal.closed?.clean, true);
  });

  test("exchanges messages, pings and a close with itself", async (context) => {
    const served = new Journal();
    const server = await listen(context, { handlers: served, protocols: ["chat"] });
    const journal = new Journal();
    const client = await connectWebSocket(server.url, { handlers: journal, protocols: ["chat"], data: 7 });
    assert.equal(client.data, 7);
    assert.equal(client.protocol, "chat");
    client.ping("are you there");
    client.send("one");
    client.sendText(Buffer.from("two"));
    client.send(Uint8Array.of(3));
    assert.deepEqual(await served.count(4), ["ping are you there", "text one", "text two", "binary 03"]);
    assert.deepEqual(await journal.count(1), ["pong are you there"]);
    server.connections[0]?.close(1001, "going away");
    assert.equal(client.state, "open");
    assert.deepEqual(await journal.end(), { code: 1001, reason: "going away", clean: true });
    assert.deepEqual(await served.end(), { code: 1001, reason: "going away", clean: true });
    assert.equal(client.state, "closed");
    assert.equal(client.send("late"), false);
    assert.equal(client.bufferedAmount, 0);
    client.close();
    client.terminate();
  });

  test("writes everything of one tick, and of one read, at once", async (context) => {
    const server = await listen(context, {
      handlers: {
        message(connection) {
          connection.send("a");
          connection.send(Buffer.from("b"));
        },
      },
    });
    const socket = await rawClient(context, server.port);
    socket.write(Buffer.concat([frame(0x81, "", mask), frame(0x81, "", mask), frame(0x89, "p", mask)]));
    const [reply] = (await once(socket, "data")) as [Buffer];
    assert.equal(reply.toString("hex"), "8101618201628101618201628a0170");
    const [connection] = server.connections;
    connection?.send("c");
    connection?.ping();
    connection?.send("d");
    const [pushed] = (await once(socket, "data")) as [Buffer];
    assert.equal(pushed.toString("hex"), "8101638900810164");
  });

  const failures: readonly [name: string, wire: Buffer, reply: string, code: number][] = [
    ["an unmasked frame", frame(0x81, "x"), "880203ea", 1002],
    ["invalid UTF-8", frame(0x81, Buffer.from([0xff]), mask), "880203ef", 1007],
    ["a message over the limit", Buffer.from("82ff0000000100000000", "hex"), "880203f1", 1009],
    ["a close code that must not be sent", frame(0x88, Buffer.from([0x03, 0xed]), mask), "880203ea", 1002],
    ["a close frame of one byte", frame(0x88, "x", mask), "880203ea", 1002],
    ["a close reason that is not UTF-8", frame(0x88, Buffer.from([3, 232, 255]), mask), "880203ef", 1007],
  ];
  for (const [name, wire, reply, code] of failures) {
    test(`fails on ${name} with ${code}, and says why`, async (context) => {
      const journal = new Journal();
      const server = await listen(context, { handlers: journal });
      const socket = await rawClient(context, server.port);
      socket.write(Buffer.concat([frame(0x81, "before", mask), wire, frame(0x81, "after", mask)]));
      const text = await received(socket);
      assert.equal(text.slice(0, 2) + text.slice(4, 8), reply.slice(0, 2) + reply.slice(4));
      assert.ok(text.length > 8, "there is a reason");
      socket.end();
      const closed = await journal.end();
      assert.deepEqual([closed.code, closed.clean], [code, false]);
      assert.equal(closed.cause?.closeCode, code);
      assert.deepEqual(journal.entries.slice(0, -1), ["text before"]);
    });
  }

  for (const [name, payload, code] of [
    ["without a code", "", 1005],
    ["with a code", "03e8", 1000],
    ["with a private code and a reason", "1387" + Buffer.from("grüße").toString("hex"), 4999],
  ] as const) {
    test(`answers a close frame ${name} with the same, and ends the socket`, async (context) => {
      const journal = new Journal();
      const server = await listen(context, { handlers: journal });
      const socket = await rawClient(context, server.port);
      socket.write(frame(0x88, Buffer.from(payload, "hex"), mask));
      const reply = frame(0x88, Buffer.from(payload, "hex")).toString("hex");
      assert.equal(await received(socket), reply);
      const closed = await journal.end();
      assert.deepEqual([closed.code, closed.clean, closed.cause], [code, true, undefined]);
    });
  }

  test("reports a socket that ends without a close frame as 1006", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal });
    const socket = await rawClient(context, server.port);
    socket.end(Buffer.from("0181", "hex"));
    const closed = await journal.end();
    assert.deepEqual([closed.code, closed.clean, closed.cause?.code], [1006, false, "connection_lost"]);
  });

  test("reports a reset socket as 1006 with the socket's error", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal });
    const socket = await rawClient(context, server.port);
    socket.resetAndDestroy();
    const closed = await journal.end();
    assert.deepEqual([closed.code, closed.cause?.code], [1006, "connection_lost"]);
    assert.match(String(closed.cause?.cause), /ECONNRESET/);
  });

  test("terminates a peer that does not answer a close frame in time", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal, limits: { closeTimeoutMs: 10 } });
    await rawClient(context, server.port);
    server.connections[0]?.close();
    const closed = await journal.end();
    assert.deepEqual([closed.code, closed.cause?.code], [1006, "timeout"]);
  });

  test("answers false at the high-water mark, and drains", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal });
    const socket = await rawClient(context, server.port);
    socket.pause();
    const connection = server.connections[0]!;
    const block = Buffer.alloc(60_000);
    let sent = 0;
    while (connection.send(block)) {
      sent++;
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
    assert.ok(sent > 0);
    assert.ok(connection.bufferedAmount >= 65_536);
    socket.resume();
    assert.deepEqual(await journal.count(1), ["drain"]);
    assert.equal(connection.bufferedAmount, 0);
  });

  test("drains also when the socket takes everything at once", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal });
    const client = new WebSocket(server.url);
    await once(client, "open");
    assert.equal(server.connections[0]?.send(Buffer.alloc(70_000)), false);
    assert.deepEqual(await journal.count(1), ["drain"]);
    assert.equal(server.connections[0]?.send("x".repeat(60)), true);
    client.terminate();
  });

  test("terminates a connection whose buffer is over its maximum", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal, limits: { maxBufferedBytes: 1_000_000 } });
    const socket = await rawClient(context, server.port);
    socket.pause();
    const connection = server.connections[0]!;
    const block = Buffer.alloc(50_000);
    let most = 0;
    for (let index = 0; index < 1000 && connection.state === "open"; index++) {
      connection.send(block);
      most = Math.max(most, connection.bufferedAmount);
      if (index % 10 === 0) {
        await new Promise<void>((resolve) => {
          setImmediate(resolve);
        });
      }
    }
    const closed = await journal.end();
    assert.deepEqual([closed.code, closed.cause?.code], [1006, "buffer_overflow"]);
    assert.ok(most < 1_100_000);
  });

  test("answers only the last ping of a peer that does not read", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal });
    const socket = await rawClient(context, server.port);
    socket.pause();
    const connection = server.connections[0]!;
    while (connection.send(Buffer.alloc(60_000))) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    const before = connection.bufferedAmount;
    for (let index = 0; index < 1000; index++) socket.write(frame(0x89, `ping ${index}`, mask));
    const entries = await journal.count(1000);
    assert.equal(entries.at(-1), "ping ping 999");
    assert.equal(connection.bufferedAmount, before);
    const parts: Buffer[] = [];
    socket.on("data", (part: Buffer) => parts.push(part));
    socket.resume();
    await journal.count(1001);
    connection.close();
    while (!Buffer.concat(parts).includes(Buffer.from([0x88, 2, 3, 232]))) await once(socket, "data");
    const all = Buffer.concat(parts);
    assert.ok(all.includes(frame(0x8a, "ping 999")));
    assert.equal(all.indexOf(Buffer.from("ping 998")), -1);
  });

  test("pauses in the middle of a read, and goes on where it was", async (context) => {
    const seen: string[] = [];
    let resumed: (() => void) | undefined;
    const server = await listen(context, {
      handlers: {
        message(connection: WebSocketConnection, data: Buffer) {
          seen.push(data.toString());
          if (seen.length === 2) {
            connection.pause();
            setImmediate(() => {
              seen.push("resumed");
              connection.resume();
            });
          }
          if (data.toString() === "d") resumed?.();
        },
      },
    });
    const done = new Promise<void>((resolve) => {
      resumed = resolve;
    });
    const socket = await rawClient(context, server.port);
    socket.write(Buffer.concat(["a", "b", "c", "d"].map((each) => frame(0x81, each, mask))));
    await done;
    assert.deepEqual(seen, ["a", "b", "resumed", "c", "d"]);
  });

  test("hands out what came before the socket's end, also after a pause", async (context) => {
    const journal = new Journal();
    let paused: (() => void) | undefined;
    const pausing = new Promise<void>((resolve) => {
      paused = resolve;
    });
    const server = await listen(context, {
      handlers: {
        message(connection, data, isBinary) {
          if (journal.entries.length === 0) connection.pause();
          journal.message(connection, data, isBinary);
          paused?.();
        },
        close: (connection, closed) => journal.close(connection, closed),
      },
    });
    const socket = await rawClient(context, server.port);
    socket.end(Buffer.concat([frame(0x81, "a", mask), frame(0x81, "b", mask), frame(0x88, "", mask)]));
    await pausing;
    assert.deepEqual(journal.entries, ["text a"]);
    server.connections[0]?.resume();
    assert.deepEqual(await journal.count(3), ["text a", "text b", "close 1005"]);
    assert.equal(journal.closed?.clean, true);
  });

  test("ends a connection that was lost while it was paused, when it is terminated", async (context) => {
    const journal = new Journal();
    const server = await listen(context, {
      handlers: {
        message: (connection) => connection.pause(),
        close: (connection, closed) => journal.close(connection, closed),
      },
    });
    const socket = await rawClient(context, server.port);
    socket.write(Buffer.concat([frame(0x81, "a", mask), frame(0x81, "b", mask)]));
    socket.resetAndDestroy();
    await once(socket, "close");
    server.connections[0]?.terminate();
    assert.deepEqual((await journal.end()).code, 1006);
  });

  test("keeps what is sent in order, large and small, whoever else sends in the same tick", async (context) => {
    const server = await listen(context, { handlers: {} });
    const journals = [new Journal(), new Journal(), new Journal()];
    for (const handlers of journals) await connectWebSocket(server.url, { handlers });
    const expected: string[] = [];
    for (let index = 0; index < 200; index++) {
      const size = [3, 200, 20_000, 70_000][index % 4]!;
      const text = `${index} `.padEnd(size, "ä");
      expected.push(`text ${text}`);
      for (const connection of server.connections) connection.send(text);
    }
    for (const journal of journals) {
      await journal.count(200);
      assert.ok(journal.entries.join() === expected.join());
    }
  });

  for (const name of ["open", "message", "ping", "pong", "drain"] as const) {
    test(`ends with 1011 when the handler ${name} throws, and throws on`, async () => {
      const { port1: socket, port2: peer } = pair();
      const journal = new Journal();
      const boom = new Error("boom");
      const handlers = {
        close: (connection: WebSocketConnection, closed: Closed) => journal.close(connection, closed),
        [name]: () => {
          throw boom;
        },
      };
      const options = { role: "client", handlers, protocol: "", limits: defaultLimits } as const;
      const wires = { open: "", message: "810161", ping: "8900", pong: "8a00", drain: "" };
      assert.throws(() => {
        const connection = new SocketConnection(socket, Buffer.alloc(0), options);
        connection.send("x".repeat(100_000));
        if (name === "drain") connection.drained();
        connection.read(Buffer.from(wires[name], "hex"));
      }, boom);
      peer.resume().end();
      const closed = await journal.end();
      assert.deepEqual(
        [closed.code, closed.cause?.code, closed.cause?.cause],
        [1011, "handler_failed", boom],
      );
    });
  }

  test("refuses what must not be sent", async (context) => {
    const server = await listen(context, { handlers: {} });
    await rawClient(context, server.port);
    const connection = server.connections[0]!;
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 1000.5]) {
      assert.throws(() => connection.close(code), RangeError, `${code}`);
    }
    assert.throws(() => connection.close(1000, "ä".repeat(62)), RangeError);
    assert.throws(() => connection.ping(Buffer.alloc(126)), RangeError);
    assert.equal(connection.state, "open");
  });
});

/** Two sockets without a system below: what is written to one is read from the other. */
function pair(): { readonly port1: Duplex; readonly port2: Duplex } {
  const ends: Duplex[] = [];
  for (const other of [1, 0]) {
    ends.push(
      new Duplex({
        read: () => {},
        write(chunk: Buffer, _encoding, callback) {
          ends[other]?.push(chunk);
          callback();
        },
        final(callback) {
          ends[other]?.push(null);
          callback();
        },
      }),
    );
  }
  return { port1: ends[0]!, port2: ends[1]! };
}
