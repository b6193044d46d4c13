import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { fromBinary } from "@bufbuild/protobuf";
import { acceptInto, Hub } from "@sluice/hub";
import { createCodec, createDirectory, createHttp2Backend, type Schema } from "@sluice/rpc";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { WebSocket } from "ws";
import { bindSessions } from "../../src/sessions/bind-sessions.ts";
import { ErrorInfoSchema } from "../../src/sessions/generated/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/sessions/generated/google/rpc/status_pb.ts";
import { PacketMethods, type PacketMethodsOptions } from "../../src/sessions/packet-methods.ts";
import { echoSchema } from "../support.ts";

const echo = "sluice.test.v1.Echo";
const types = {
  7: `${echo}/Say`,
  8: `/${echo}/Fail`,
  9: `${echo}/Sleep`,
  10: `${echo}/Repeat`,
  11: `${echo}/Gone`,
  13: `${echo}/Metadata`,
};

interface Packet {
  readonly type: number;
  readonly who: number;
  readonly content: Buffer;
}

/** A client of packets on a real WebSocket. */
class PacketClient {
  readonly packets: Packet[] = [];
  readonly #socket: WebSocket;
  #wake: () => void = () => undefined;

  constructor(url: string) {
    this.#socket = new WebSocket(url, ["sluice.packet.v1"]);
    this.#socket.on("message", (data: Buffer) => {
      for (let at = 0; at < data.length; at += 12 + data.readUInt32BE(at + 4)) {
        const end = at + 12 + data.readUInt32BE(at + 4);
        this.packets.push({
          type: data.readUInt32BE(at),
          who: data.readUInt32BE(at + 8),
          content: data.subarray(at + 12, end),
        });
      }
      this.#wake();
    });
  }

  async opened(): Promise<this> {
    await once(this.#socket, "open");
    return this;
  }

  /** Sends packets in one message. */
  send(...packets: readonly (readonly [type: number, content: Uint8Array])[]): void {
    this.#socket.send(
      Buffer.concat(
        packets.map(([type, content]) => {
          const bytes = Buffer.alloc(12 + content.length);
          bytes.writeUInt32BE(type, 0);
          bytes.writeUInt32BE(content.length, 4);
          bytes.set(content, 12);
          return bytes;
        }),
      ),
    );
  }

  /** Resolves with the first packets, once there are so many. */
  async received(count: number): Promise<readonly Packet[]> {
    while (this.packets.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.packets;
  }

  close(): void {
    this.#socket.terminate();
  }
}

interface Scene {
  readonly server: EchoServer;
  readonly schema: Schema;
  readonly client: PacketClient;
  readonly connect: () => Promise<PacketClient>;
  readonly failures: string[];
  readonly say: (text: string) => Uint8Array;
}

async function setScene(context: TestContext, options: Partial<PacketMethodsOptions> = {}): Promise<Scene> {
  const server = await startEchoServer();
  const schema = await echoSchema(server);
  const backend = createHttp2Backend(server.address);
  const directory = createDirectory(schema, backend);
  const failures: string[] = [];
  const packets = new PacketMethods({
    types,
    methods: () => directory,
    report: (_session, path, { code }) => failures.push(`${path} ${code}`),
    ...options,
  });
  const hub = new Hub({ admit: () => ({ identity: { user: "añna" } }) });
  bindSessions(hub, { packets });
  const http = createServer().on("upgrade", acceptInto(hub)).listen(0, "127.0.0.1");
  await once(http, "listening");
  const clients: PacketClient[] = [];
  const connect = (): Promise<PacketClient> => {
    const client = new PacketClient(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    clients.push(client);
    return client.opened();
  };
  const client = await connect();
  context.after(async () => {
    for (const each of clients) each.close();
    packets.close();
    await hub.close();
    await backend.close(0);
    await server.close();
    http.close();
  });
  const codec = createCodec(schema.registry.getMessage("sluice.test.v1.SayRequest") ?? assert.fail());
  return { server, schema, client, connect, failures, say: (text) => codec.bytesFromJson({ text }) };
}

function refusalOf({
  type,
  content,
}: Packet): readonly [code: number, message: string, of: string | undefined] {
  assert.equal(type, 0xffff_ffff);
  const { code, message, details } = fromBinary(StatusSchema, content);
  const [info] = details.flatMap((detail) => anyUnpack(detail, ErrorInfoSchema) ?? []);
  return [code, message, info?.metadata["type"]];
}

function make(wrong: Readonly<Record<number, string>>) {
  return () => new PacketMethods({ types: wrong, methods: () => assert.fail() });
}

describe("packets that are gRPC calls", () => {
  test("are answered in order, with packets of their type", async (context) => {
    const { client, schema, say } = await setScene(context);
    const texts = Array.from({ length: 30 }, (_, index) => `text ${index}`);
    client.send(...texts.map((text) => [7, say(text)] as const));
    const packets = await client.received(30);
    const reply = createCodec(schema.registry.getMessage("sluice.test.v1.SayReply") ?? assert.fail());
    assert.deepEqual(
      packets.map(({ type, who, content }) => [type, who, JSON.parse(reply.jsonFromBytes(content))]),
      texts.map((text) => [7, 0, { text }]),
    );
  });

  test("tell the backend whose they are", async (context) => {
    const { client, schema } = await setScene(context);
    client.send([13, new Uint8Array()]);
    const [packet] = await client.received(1);
    const codec = createCodec(schema.registry.getMessage("sluice.test.v1.MetadataReply") ?? assert.fail());
    const reply = codec.jsonFromBytes(packet?.content ?? assert.fail());
    assert.match(reply, /"sluice-session":\{"values":\["[\w-]{22}"\]\}/);
    assert.match(reply, /"sluice-user":\{"values":\["a%C3%B1na"\]\}/);
  });

  test("that fail are refused with their status, and hold up no other", async (context) => {
    const { client, schema, say, failures } = await setScene(context);
    const fail = createCodec(schema.registry.getMessage("sluice.test.v1.FailRequest") ?? assert.fail());
    const failing = fail.bytesFromJson({ status: { code: 9, message: "not now" } });
    client.send([8, failing], [10, say("x")], [11, say("x")], [12, say("x")], [7, say("last")]);
    const packets = await client.received(5);
    assert.deepEqual(
      packets
        .slice(0, 4)
        .map(refusalOf)
        .toSorted((a, b) => Number(a[2]) - Number(b[2])),
      [
        [9, "not now", "8"],
        [12, "the backend does not take this", "10"],
        [12, "the backend does not take this", "11"],
        [12, "the backend does not take this", "12"],
      ],
    );
    assert.equal(packets[4]?.type, 7);
    assert.deepEqual(failures, [`/${echo}/Fail 9`, `/${echo}/Repeat 12`, `/${echo}/Gone 12`]);
  });

  test("end at their deadline, and when their server dies", async (context) => {
    const { client, say, server } = await setScene(context, { deadlineMs: 50 });
    client.send([9, new Uint8Array()]);
    const [late] = await client.received(1);
    assert.deepEqual(late && refusalOf(late), [4, "the backend did not answer in time", "9"]);
    await server.kill();
    client.send([7, say("x")]);
    const [, away] = await client.received(2);
    assert.deepEqual(away && refusalOf(away), [14, "the backend is away; try again later", "7"]);
  });

  test("are bounded over all sessions", async (context) => {
    const { client, connect, say, server } = await setScene(context, { deadlineMs: 200, concurrency: 1 });
    const other = await connect();
    client.send([9, new Uint8Array()]);
    await server.calls.until(({ started }) => started === 1);
    other.send([7, say("after")]);
    const [reply] = await other.received(1);
    assert.deepEqual([reply?.type, client.packets.length], [7, 1]);
  });

  test("are named rightly, or not at all", () => {
    assert.throws(make({ 0: "a.B/C" }), /packets\.0: a type is a whole number from 1 to 4294967294/);
    assert.throws(make({ 4294967295: "a.B/C" }), /packets\.4294967295: a type/);
    assert.throws(make({ 7: "a.B.C" }), /packets\.7: "a\.B\.C" is not written as package\.Service\/Method/);
    const packets = new PacketMethods({ types: { 7: "/a.B/C" }, methods: () => assert.fail() });
    assert.deepEqual([packets.has(7), packets.has(8)], [true, false]);
  });
});
