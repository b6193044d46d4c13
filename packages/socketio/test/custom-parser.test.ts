import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { type CustomParser, type Packet, type Socket, type SocketIoError } from "../src/index.ts";
import { IoServer, next } from "./support/io-server.ts";
import { WireClient } from "./support/wire-client.ts";

// It has no types.
const msgpack = createRequire(import.meta.url)("socket.io-msgpack-parser") as CustomParser;

/** A parser whose decoder gives what a test says, and decodes JSON otherwise. */
function parserThat(
  decode: (message: string | Buffer, decoded: (packet: unknown) => void) => void,
): CustomParser {
  return {
    Encoder: class {
      encode(packet: Packet): string[] {
        return [JSON.stringify(packet)];
      }
    },
    Decoder: class extends EventEmitter {
      add(message: string | Buffer): void {
        decode(message, (packet) => this.emit("decoded", packet));
      }
    },
  };
}

describe("a server with the parser of socket.io-msgpack-parser", () => {
  test("has events, bytes and acknowledgements both ways", async (context) => {
    const server = await IoServer.start({ parser: msgpack });
    context.after(() => server.close());
    const ends = await server.connect("/", { parser: msgpack });
    ends.server.on("echo", (...args: unknown[]) => {
      const answer = args.pop() as (...args: unknown[]) => void;
      answer(...args);
    });
    const sent = { at: 1, image: new Uint8Array([1, 2, 3]) };
    const { image } = (await ends.client.emitWithAck("echo", sent)) as { image: Uint8Array };
    // The parser makes no difference between views of bytes.
    assert.deepEqual([...new Uint8Array(image)], [1, 2, 3]);
    ends.client.on("ask", (answer: (value: unknown) => void) => answer({ ok: true }));
    assert.deepEqual(await ends.server.emitWithAck("ask"), { ok: true });
    const told = next(ends.client, "told");
    server.io.emit("told", 1n === BigInt(1), [null]);
    assert.deepEqual(await told, [true, [null]]);
  });

  const hostile: readonly (string | Uint8Array)[] = [
    "4",
    '42["a"]',
    Uint8Array.of(0xc1),
    Uint8Array.of(0xc0),
    Buffer.from("93010203", "hex"),
    // {"type":2,"nsp":"/","data":["disconnect"]}
    Buffer.from("83a47479706502a36e7370a12fa46461746191aa646973636f6e6e656374", "hex"),
  ];
  for (const message of hostile) {
    test(`disconnects a client that sends ${Buffer.from(message).toString("hex")}`, async (context) => {
      const server = await IoServer.start({ parser: msgpack });
      context.after(() => server.close());
      const client = await WireClient.connect(context, server.port);
      client.send(message);
      assert.equal((await client.end()).code, 1002);
      assert.equal(server.io.counts.ended.invalid, 1);
    });
  }
});

describe("a server with a parser of the application", () => {
  const impossible: readonly [what: string, packet: unknown][] = [
    ["nothing", undefined],
    ["a text", "a"],
    ["no namespace", { type: 0 }],
    ["no type", { nsp: "/" }],
    ["a type that there is not", { type: 7, nsp: "/" }],
    ["an id that is no number", { type: 2, nsp: "/", id: "1", data: ["a"] }],
    ["an event without a name", { type: 2, nsp: "/", data: [] }],
    ["an ack of no id", { type: 3, nsp: "/", data: [] }],
  ];
  for (const [what, packet] of impossible) {
    test(`disconnects a client of whom the decoder says ${what}, even later`, async (context) => {
      const parser = parserThat((_message, decoded) => setImmediate(() => decoded(packet)));
      const server = await IoServer.start({ parser });
      context.after(() => server.close());
      const client = await WireClient.connect(context, server.port);
      client.send("4anything");
      assert.equal((await client.end()).code, 1002);
    });
  }

  test("tells what the decoder throws as the cause", async (context) => {
    const cause = new Error("of the decoder");
    const parser = parserThat((message, decoded) => {
      if (message === "bad") throw cause;
      decoded(JSON.parse(String(message)));
    });
    const server = await IoServer.start({ parser });
    context.after(() => server.close());
    const connection = next(server.io, "connection");
    const client = await WireClient.connect(context, server.port);
    client.send('4{"type":0,"nsp":"/"}');
    const [socket] = (await connection) as [Socket];
    const end = next(socket, "disconnect");
    client.send("4bad");
    const [reason, error] = (await end) as [string, SocketIoError];
    assert.deepEqual([reason, error.code, error.cause], ["parse error", "packet_invalid", cause]);
  });

  test("takes packets with bytes for events and acknowledgements like any other", async (context) => {
    const parser = parserThat((message, decoded) => decoded(JSON.parse(String(message))));
    const server = await IoServer.start({ parser });
    context.after(() => server.close());
    server.io.on("connection", (socket) => {
      socket.on("a", () => socket.emit("b", (...args: unknown[]) => socket.emit("c", ...args)));
    });
    const client = await WireClient.connect(context, server.port);
    client.send('4{"type":0,"nsp":"/"}', '4{"type":5,"nsp":"/","data":["a"]}');
    await client.next();
    assert.equal(await client.next(), '4{"type":2,"nsp":"/","data":["b"],"id":0}');
    client.send('4{"type":6,"nsp":"/","id":0,"data":[1]}');
    assert.equal(await client.next(), '4{"type":2,"nsp":"/","data":["c",1]}');
  });
});
