import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readFileSync } from "node:fs";
import { compileProtos, ServiceBackend, type Schema, type ServiceListener } from "@sluice/rpc";
import { WebSocket } from "ws";
import { createLogger, Gateway } from "../src/index.ts";
import { until } from "./multiplex-client.ts";

interface Conversation {
  readonly name: string;
  readonly side: "client" | "server";
  readonly limits?: Readonly<Record<string, number>>;
  readonly receives: readonly string[];
  readonly closes: number | null;
}

const vectors = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve("@sluice/protocol/vectors/conversations.json"), "utf8"),
) as readonly Conversation[];

/** The bytes of a vector, in which `ab*100` is the byte `ab` a hundred times. */
function bytesFromHex(hex: string): Buffer {
  const full = hex.replace(/([0-9a-f]{2})\*(\d+)/g, (_, byte: string, count: string) =>
    byte.repeat(Number(count)),
  );
  return Buffer.from(full.replaceAll(" ", ""), "hex");
}

const hello = "0100000000000000";
const ping = "0900000000000000";
const pong = "0a00000000000000";

let folder: string;
let schema: Schema;
/** Calls that the service has and that are not over. */
let open = 0;
let opened = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-"));
  const proto =
    'syntax = "proto3"; package a; message M {} service B { rpc C(stream M) returns (stream M); }';
  await writeFile(join(folder, "a.proto"), proto);
  schema = await compileProtos([join(folder, "a.proto")]);
});
after(() => rm(folder, { recursive: true }));

/** A service that takes each call and does nothing with it. */
function silentService(): ServiceBackend {
  return new ServiceBackend(
    new Map([
      [
        "/a.B/C",
        (): ServiceListener => {
          open++;
          opened++;
          return { message: () => undefined, halfClose: () => undefined, cancelled: () => void open-- };
        },
      ],
    ]),
  );
}

async function startGateway(limits: Readonly<Record<string, number>>): Promise<[Gateway, string]> {
  const { maxMessageBytes, ...multiplex } = limits;
  const gateway = new Gateway({
    upstreams: [{ name: "a", backend: silentService(), loadSchema: () => Promise.resolve(schema) }],
    log: createLogger("silent"),
    multiplex,
    ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
  });
  const { port } = await gateway.start("127.0.0.1", 0);
  return [gateway, `ws://127.0.0.1:${port}/`];
}

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, ["sluice.v1"]);
  await once(socket, "open");
  return socket;
}

describe("the port, given", () => {
  let gateway: Gateway;
  let url: string;
  before(async () => {
    [gateway, url] = await startGateway({});
  });
  after(() => gateway.close(0));

  for (const { name, side, limits, receives, closes } of vectors) {
    // How many answers may wait is no option of the gateway.
    if (side !== "server" || limits?.["maxAnswerBytes"] !== undefined) continue;
    test(`${name}, ${closes === null ? "goes on" : `closes with ${closes}`}`, async () => {
      const own = limits === undefined ? undefined : await startGateway(limits);
      const socket = await connect(own?.[1] ?? url);
      const closed = once(socket, "close") as Promise<[number]>;
      const answered = new Promise<"pong">((resolve) => {
        socket.on("message", (data: Buffer) => {
          if (data.toString("hex").includes(pong)) resolve("pong");
        });
      });
      for (const hex of receives) socket.send(bytesFromHex(hex));
      if (closes === null) {
        socket.send(bytesFromHex(ping));
        assert.equal(await Promise.race([answered, closed]), "pong");
        socket.close();
      }
      const [code] = await closed;
      // Too large a WebSocket message is found out one level below.
      if (closes !== null) assert.ok(code === closes || (closes === 4413 && code === 1009), String(code));
      await own?.[0].close(0);
    });
  }

  test("a text message, closes with 4400", async () => {
    const socket = await connect(url);
    socket.send("hello");
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [4400, "a text message"]);
  });

  test("more than 64 KiB in one message, closes with 1009", async () => {
    const socket = await connect(url);
    socket.send(Buffer.alloc(65_537, bytesFromHex(hello)));
    const [code] = (await once(socket, "close")) as [number];
    assert.equal(code, 1009);
  });

  test("PINGs from a client that reads nothing, closes with 4429", async () => {
    const socket = await connect(url);
    socket.pause();
    socket.send(bytesFromHex(hello));
    // More than the kernels of both sides keep; what does not fit waits in the gateway.
    const pings = Buffer.alloc(8 * 8000, bytesFromHex(ping));
    const closed = once(socket, "close") as Promise<[number]>;
    for (let sent = 0; sent < 500; sent++) {
      await new Promise((resolve) => socket.send(pings, resolve));
    }
    socket.resume();
    const [code] = await closed;
    assert.equal(code, 4429);
  });

  test("all of that, keeps no call and no socket", async () => {
    assert.ok(opened > 0);
    await until(() => gateway.counts.webSockets === 0 && open === 0, "nothing is open");
    assert.equal(gateway.counts.multiplexCalls, 0);
  });
});
