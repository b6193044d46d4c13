import assert from "node:assert/strict";
import { type Behaviour, type Column, inbox, next } from "./cell.ts";

/** The error that a client is told. */
async function refusalOf(
  client: Parameters<typeof next>[0],
  { client: { revision } }: Column,
): Promise<unknown> {
  const [error] = await next(client, revision === 3 ? "error" : "connect_error");
  return error;
}

/** There, the parser takes errors only where they are strings. */
function takesStrings({ client, parser }: Column): boolean {
  return client.revision === 3 && parser === "msgpack";
}

/** The message of an error, which 2.x is told in several forms. */
function messageOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "message" in error ? error.message : error;
}

/** How a client comes, or is refused. */
export const connecting: readonly Behaviour[] = [
  {
    name: "connects and has the same id as its other end",
    async run(cell) {
      const { client, server } = await cell.connect();
      assert.equal(client.connected, true);
      assert.equal(server.connected, true);
      assert.equal(client.id, server.id);
      // Revision 5 does not tell others the secret id of the connection.
      assert.equal(server.id === server.conn.id, cell.column.client.revision === 3);
    },
  },
  {
    name: "ends on the transport of its way",
    async run(cell) {
      const { client, server } = await cell.connect();
      const { way } = cell.column;
      if (way === "polling, then websocket" && client.io.engine.transport.name === "polling") {
        await next(client.io.engine, "upgrade");
      }
      const expected = way === "polling" ? "polling" : "websocket";
      assert.equal(client.io.engine.transport.name, expected);
      client.emit("upgraded");
      await next(server, "upgraded");
      assert.equal(server.conn.transport.name, expected);
    },
  },
  {
    name: "connects to a namespace",
    async run(cell) {
      const connected = next(cell.namespace, "connection");
      const { client, server } = await cell.join();
      assert.deepEqual(await connected, [server]);
      assert.equal(client.id, server.id);
      assert.equal(server.nsp, cell.namespace);
    },
  },
  {
    name: "connects to a namespace of a pattern",
    async run(cell) {
      const { server } = await cell.connect(`/pattern-${cell.key}`);
      assert.equal(server.nsp.name, `/pattern-${cell.key}`);
    },
  },
  {
    name: "connects to a namespace that a function decides on by what it gives",
    except: takesStrings,
    async run(cell) {
      const { revision } = cell.column.client;
      const options = revision === 3 ? { query: { may: "yes" } } : { auth: { may: "yes" } };
      const { server } = await cell.connect(`/asked-${cell.key}`, options);
      assert.equal(server.handshake.auth.may, "yes");
      const other = cell.open(`/asked-${cell.key}-other`, { auth: { may: "no" } });
      assert.equal(messageOf(await refusalOf(other, cell.column)), "Invalid namespace");
    },
  },
  {
    name: "has several namespaces on one connection, each with its own events",
    async run(cell) {
      const { client: first, server: firstEnd } = await cell.connect();
      const names = [`/pattern-${cell.key}1`, `/pattern-${cell.key}2`];
      for (const name of names) {
        const other = first.io.socket(name);
        if (!other.connected) await next(other, "connect");
        const otherEnd = cell.otherEnd(other, name);
        assert.equal(otherEnd.conn, firstEnd.conn);
        const received = inbox(otherEnd, "hello");
        const elsewhere = inbox(firstEnd, "hello");
        other.emit("hello", name);
        assert.deepEqual(await received.next(), [name]);
        const answered = next(other, "answer");
        otherEnd.emit("answer", name);
        assert.deepEqual(await answered, [name]);
        assert.equal(elsewhere.size, 0);
        const left = next(otherEnd, "disconnect");
        other.disconnect();
        await left;
        assert.equal(firstEnd.connected, true);
      }
    },
  },
  {
    name: "is known by its request",
    async run(cell) {
      const extraHeaders = { "x-own": cell.key };
      const { server } = await cell.connect("/", { query: { own: "a b&c" }, extraHeaders });
      const { handshake } = server;
      assert.equal(handshake.query.own, "a b&c");
      assert.equal(handshake.query.EIO, `${cell.column.client.revision}`);
      assert.equal(handshake.headers["x-own"], cell.key);
      assert.equal(handshake.address, "127.0.0.1");
      assert.equal(handshake.secure, false);
      assert.equal(handshake.xdomain, false);
      assert.match(handshake.url, /^\/socket\.io\/\?/);
      assert.ok(Math.abs(Date.now() - handshake.issued) < 60_000);
      assert.equal(new Date(handshake.time).getTime(), Math.floor(handshake.issued / 1000) * 1000);
    },
  },
  {
    name: "says what it is allowed by, an object or a function's",
    since: "3.0",
    async run(cell) {
      const { server } = await cell.join({ auth: { token: "of an object", more: [1, { a: null }] } });
      assert.deepEqual(server.handshake.auth, { token: "of an object", more: [1, { a: null }] });
      const { server: other } = await cell.join({
        auth: (tell: (auth: unknown) => void) => tell({ token: "of a function" }),
      });
      assert.deepEqual(other.handshake.auth, { token: "of a function" });
    },
  },
  {
    name: "passes the middlewares in their order",
    async run(cell) {
      cell.namespace.use((socket, proceed) => {
        socket.data.seen = ["first"];
        setImmediate(proceed);
      });
      cell.namespace.use((socket, proceed) => {
        (socket.data.seen as string[]).push("second");
        proceed();
      });
      const { server } = await cell.join();
      assert.deepEqual(server.data.seen, ["first", "second"]);
    },
  },
  {
    name: "is told the message of a middleware that refuses it",
    async run(cell) {
      cell.namespace.use((_socket, proceed) => proceed(new Error("not today")));
      const connected = inbox(cell.namespace, "connection");
      assert.equal(messageOf(await refusalOf(cell.open(cell.namespace.name), cell.column)), "not today");
      assert.equal(connected.size, 0);
      assert.equal(cell.namespace.sockets.size, 0);
    },
  },
  {
    name: "is told the data of a middleware that refuses it",
    except: takesStrings,
    async run(cell) {
      const data = { code: 7, why: ["no", null] };
      cell.namespace.use((_socket, proceed) => proceed(Object.assign(new Error("not today"), { data })));
      const error = await refusalOf(cell.open(cell.namespace.name), cell.column);
      assert.deepEqual(error instanceof Error ? (error as { data?: unknown }).data : error, data);
    },
  },
  {
    name: "is refused a namespace that there is not, and may come again when there is",
    except: takesStrings,
    async run(cell) {
      const client = cell.open(`/later-${cell.key}`);
      assert.equal(messageOf(await refusalOf(client, cell.column)), "Invalid namespace");
      cell.io.of(`/later-${cell.key}`);
      const connected = next(client, "connect");
      client.disconnect();
      client.connect();
      await connected;
    },
  },
  {
    name: "stays connected over many heartbeats",
    async run(cell) {
      const { client, server } = await cell.connect();
      const disconnected = inbox(client, "disconnect");
      for (let beats = 0; beats < 3; beats++) await next(server.conn, "heartbeat");
      assert.equal(disconnected.size, 0);
    },
  },
];
