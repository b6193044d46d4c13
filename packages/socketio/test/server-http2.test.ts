import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, test, type TestContext } from "node:test";
import { testCertificates } from "@sluice/testkit";
import { io as connectClient } from "socket.io-client";
import { Server, type Socket } from "../src/index.ts";
import { next } from "./support/io-server.ts";

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** A client of HTTP/2 which polls. */
class PollingClient {
  readonly #session: ClientHttp2Session;

  constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  /** Begins a request: a POST where there is a body. */
  request(query: string, body?: string): ClientHttp2Stream {
    return this.#session
      .request({
        ":path": `/socket.io/?EIO=4&transport=polling${query}`,
        ":method": body === undefined ? "GET" : "POST",
        "accept-encoding": "identity",
      })
      .end(body);
  }

  /** Makes a request. */
  async ask(query: string, body?: string): Promise<Answer> {
    const stream = this.request(query, body);
    const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status"?: number }];
    return { status: headers[":status"], body: await text(stream) };
  }

  /** Opens a session of Engine.IO, and answers the part of the query that names it. */
  async open(): Promise<string> {
    const { body } = await this.ask("");
    return `&sid=${(JSON.parse(body.slice(1)) as { sid: string }).sid}`;
  }
}

/** A server attached to one of HTTP/2, which speaks HTTP/1.1 too. */
async function start(context: TestContext): Promise<{ io: Server; url: string; ca: string }> {
  const { ca, server } = testCertificates();
  const http = createSecureServer({ ...server, allowHTTP1: true }, (_request, response) => {
    response.end("other");
  });
  const io = new Server(http);
  io.on("connection", (socket) => {
    socket.on("echo", (value: unknown, ack: (value: unknown) => void) => ack(value));
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  context.after(() => io.close());
  return { io, url: `https://127.0.0.1:${(http.address() as AddressInfo).port}`, ca };
}

describe("a server attached to one of HTTP/2", () => {
  test("serves clients of HTTP/1.1, which move to a WebSocket", async (context) => {
    const { io, url, ca } = await start(context);
    const connection = next(io, "connection");
    const client = connectClient(url, { ca, reconnection: false });
    context.after(() => client.disconnect());
    await new Promise((upgraded) => {
      client.io.on("open", () => client.io.engine.once("upgrade", upgraded));
    });
    assert.equal(await client.emitWithAck("echo", "hi"), "hi");
    const [socket] = (await connection) as [Socket];
    assert.deepEqual([socket.conn.transport.name, socket.handshake.secure], ["websocket", true]);
  });

  test("serves clients that poll by HTTP/2", async (context) => {
    const { io, url, ca } = await start(context);
    const session = connect(url, { ca });
    context.after(() => session.close());
    const client = new PollingClient(session);
    const connection = next(io, "connection");
    const sid = await client.open();
    assert.deepEqual(await client.ask(sid, "40"), { status: 200, body: "ok" });
    assert.match((await client.ask(sid)).body, /^40\{"sid":/);
    const waiting = client.ask(sid);
    const long = "€".repeat(2000);
    await client.ask(sid, `420["echo","${long}"]`);
    assert.deepEqual(await waiting, { status: 200, body: `430["${long}"]` });
    const [socket] = (await connection) as [Socket];
    const { address, secure, headers } = socket.handshake;
    assert.deepEqual([address, secure, headers[":scheme"]], ["127.0.0.1", true, "https"]);
    assert.equal((await client.ask("&sid=none")).body, '{"code":1,"message":"Session ID unknown"}');
  });

  test("ends a session whose client gives up a poll by HTTP/2", async (context) => {
    const { io, url, ca } = await start(context);
    const session = connect(url, { ca });
    context.after(() => session.close());
    const client = new PollingClient(session);
    const connection = next(io, "connection");
    const sid = await client.open();
    await client.ask(sid, "40");
    await client.ask(sid);
    const [socket] = (await connection) as [Socket];
    const gone = next(socket, "disconnect");
    const poll = client.request(sid);
    // Streams are handled in their order, so that the poll waits.
    await client.ask("&sid=none");
    poll.close(constants.NGHTTP2_CANCEL);
    assert.equal((await gone)[0], "transport error");
    assert.equal(io.engine.clientsCount, 0);
  });

  test("closes though clients of HTTP/2 stay connected, and answers their polls", async (context) => {
    const { io, url, ca } = await start(context);
    const session = connect(url, { ca });
    const client = new PollingClient(session);
    const sid = await client.open();
    await client.ask(sid, "40");
    await client.ask(sid);
    const waiting = client.ask(sid);
    await client.ask("&sid=none");
    const ended = once(session, "close");
    await io.close();
    assert.equal((await waiting).status, 200);
    await ended;
  });
});
