// The API in the wild that is most used through grpc-websocket-proxy: etcd's watch. etcd has that proxy built in, so
// its own answers are what the gateway's are measured against.
import assert from "node:assert/strict";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compileProtos, createHttp2Backend } from "@sluice/rpc";
import { WebSocket } from "ws";
import { createLogger, Gateway } from "../src/index.ts";
import { findEtcd, startEtcd, type EtcdServer } from "./etcd/etcd-server.ts";
import { send as sendRequest } from "./support.ts";

const etcdBinary = findEtcd();
const skip = etcdBinary === undefined && "no etcd: run scripts/setup on Debian, or set ETCD to its binary";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A client of /v3/watch as one writes it by etcd's documentation. */
class WatchClient {
  readonly #socket: WebSocket;
  readonly #texts: string[] = [];
  readonly closed: Promise<number>;

  constructor(host: string, query = "") {
    this.#socket = new WebSocket(`ws://${host}/v3/watch${query}`);
    this.#socket.on("message", (data: Buffer, isBinary: boolean) => {
      assert.equal(isBinary, false);
      this.#texts.push(data.toString());
      this.#socket.emit("text");
    });
    this.closed = once(this.#socket, "close").then(([code]) => code as number);
  }

  async opened(): Promise<void> {
    await once(this.#socket, "open");
  }

  send(...messages: readonly (string | object)[]): void {
    for (const message of messages) {
      this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
    }
  }

  /** The next messages, as they came. */
  async texts(count: number): Promise<string[]> {
    while (this.#texts.length < count) await once(this.#socket, "text");
    return this.#texts.splice(0, count);
  }

  close(): void {
    this.#socket.close();
  }
}

interface WatchMessage {
  readonly result: {
    readonly watch_id?: string;
    readonly canceled?: boolean;
    readonly events?: readonly { readonly type?: string; readonly kv: Readonly<Record<string, string>> }[];
  };
}

describe("clients of etcd's /v3/watch", { skip }, () => {
  let etcd: EtcdServer;
  let gateway: Gateway;
  let host: string;
  before(async () => {
    etcd = await startEtcd(etcdBinary ?? "");
    const shared = dirname(createRequire(import.meta.url).resolve("@sluice/rpc/package.json"));
    const proto = fileURLToPath(new URL("etcd/watch.proto", import.meta.url));
    gateway = new Gateway({
      upstreams: [
        {
          name: "etcd",
          backend: createHttp2Backend(etcd.address),
          loadSchema: () => compileProtos([proto], { importPaths: [dirname(proto), join(shared, "proto")] }),
        },
      ],
      rest: { protoFieldNames: true },
      log: createLogger("silent"),
    });
    const { port } = await gateway.start("127.0.0.1", 0);
    host = `127.0.0.1:${port}`;
  });
  after(async () => {
    await gateway.close(0);
    await etcd.close();
  });

  const put = (key: string, value: string): Promise<unknown> =>
    sendRequest(`http://${host}/v3/kv/put`, "POST", { key: base64(key), value: base64(value) });
  const remove = (key: string): Promise<unknown> =>
    sendRequest(`http://${host}/v3/kv/deleterange`, "POST", { key: base64(key) });

  /** Does the same with a client of the gateway and one of etcd itself, and asserts that they hear the same. */
  async function alike(
    act: (clients: { send: WatchClient["send"]; texts: WatchClient["texts"] }) => Promise<void>,
    query = "",
  ): Promise<void> {
    const [own, theirs] = [new WatchClient(host, query), new WatchClient(etcd.address, query)];
    await Promise.all([own.opened(), theirs.opened()]);
    await act({
      send: (...messages) => {
        own.send(...messages);
        theirs.send(...messages);
      },
      texts: async (count) => {
        const [ours, expected] = await Promise.all([own.texts(count), theirs.texts(count)]);
        assert.deepEqual(ours, expected);
        return ours;
      },
    });
    own.close();
    theirs.close();
    assert.equal(await own.closed, 1005);
    await theirs.closed;
  }

  for (const query of ["", "?method=POST"]) {
    test(`hear the same from the gateway as from etcd, to the byte, at /v3/watch${query}`, async () => {
      const key = `alike${query}`;
      await alike(async ({ send, texts }) => {
        send({ create_request: { key: base64(key), prev_kv: true } });
        await texts(1);
        await put(key, "one");
        await texts(1);
        await put(key, "two");
        await texts(1);
        await remove(key);
        const [text = ""] = await texts(1);
        const [event] = (JSON.parse(text) as WatchMessage).result.events ?? [];
        assert.equal(event?.type, "DELETE");
        assert.equal(event?.kv["key"], base64(key));
      }, query);
    });
  }

  test("watch several keys on one socket, from old revisions on, and cancel", async () => {
    await put("many/a", "1");
    await alike(async ({ send, texts }) => {
      send({ create_request: { key: base64("many/b"), filters: ["NODELETE"], watch_id: "8" } });
      await texts(1);
      send({
        create_request: {
          key: base64("many/"),
          range_end: base64("many0"),
          start_revision: "1",
          watch_id: 7,
        },
      });
      const [, past = ""] = await texts(2);
      assert.ok(past.includes(base64("many/a")));
      send({ cancel_request: { watch_id: "7" } });
      const [text = ""] = await texts(1);
      assert.deepEqual([(JSON.parse(text) as WatchMessage).result.canceled], [true]);
      await put("many/b", "2");
      const [event = ""] = await texts(1);
      assert.equal((JSON.parse(event) as WatchMessage).result.watch_id, "8");
    });
  });

  test("may cut their JSON into messages, or put several texts into one", async () => {
    await alike(async ({ send, texts }) => {
      const create = (key: string): string => JSON.stringify({ create_request: { key: base64(key) } });
      send('{"create_request":', `{"key":"${base64("cut")}"}}`);
      await texts(1);
      send(create("second") + create("third"));
      await texts(2);
    });
  });

  test("get replies over 64 KiB, at which grpc-websocket-proxy breaks off", async () => {
    const client = new WatchClient(host);
    await client.opened();
    client.send({ create_request: { key: base64("large") } });
    await client.texts(1);
    const value = "x".repeat(1024 * 1024);
    await put("large", value);
    const [text = ""] = await client.texts(1);
    assert.equal((JSON.parse(text) as WatchMessage).result.events?.[0]?.kv["value"], base64(value));
    client.close();
  });

  test("leave the stream with a half-close: etcd goes on, as it does after `curl -d`", async () => {
    const client = new WatchClient(host);
    await client.opened();
    client.send({ create_request: { key: base64("half") } }, "");
    await client.texts(1);
    await put("half", "closed");
    const [text = ""] = await client.texts(1);
    assert.ok(text.includes(base64("closed")));
    client.close();
  });

  test("that use HTTP instead read the same stream line by line", async () => {
    const abort = new AbortController();
    const response = await fetch(`http://${host}/v3/watch`, {
      method: "POST",
      body: JSON.stringify({ create_request: { key: base64("lines") } }),
      signal: abort.signal,
    });
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of response.body ?? []) {
      const isFirst = text === "";
      text += decoder.decode(chunk, { stream: true });
      if (isFirst) await put("lines", "1");
      if (text.includes(base64("1"))) break;
    }
    abort.abort();
    assert.equal(text.trimEnd().split("\n").length, 2);
  });
});
