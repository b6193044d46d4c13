import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import {
  createRpcHandler,
  createStatus,
  noMetadata,
  type Backend,
  type CallListener,
  type MessageCodec,
} from "@sluice/rpc";
import { frameMessages } from "../../src/wire/length-prefixed-message.ts";
import { collect, eventually } from "../backend/harness.ts";

const noCodec: MessageCodec = {
  bytesFromJson: () => assert.fail("nothing here is JSON"),
  jsonFromBytes: () => assert.fail("nothing here is JSON"),
};

/** A backend that takes one message and wants no more until it is told to go on. */
class SlowBackend implements Backend {
  received = 0;
  cancelled = false;
  listener: CallListener | undefined;

  open(_start: unknown, listener: CallListener): ReturnType<Backend["open"]> {
    this.listener = listener;
    const status = createStatus(1, "cancelled");
    return {
      send: () => {
        this.received++;
        return false;
      },
      halfClose: () => listener.end(createStatus(0, ""), noMetadata),
      cancel: (said = status) => {
        this.cancelled = true;
        listener.end(said, noMetadata);
      },
      pause: () => undefined,
      resume: () => undefined,
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

test("a client is read no faster than the backend takes its messages", async (t) => {
  const backend = new SlowBackend();
  const entry = { method: collect, backend, input: noCodec, output: noCodec, any: noCodec };
  const handle = createRpcHandler({ methods: () => ({ find: () => entry }) });
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    session.destroy();
    server.close();
  });

  const messages = 200;
  const [prefix = Buffer.alloc(0), body = Buffer.alloc(0)] = frameMessages([Buffer.alloc(16 * 1024)]);
  const stream = session.request({ ":method": "POST", ":path": "/s/M", "content-type": "application/grpc" });
  stream.resume();
  for (let index = 0; index < messages; index++) {
    stream.write(prefix);
    stream.write(body);
  }
  stream.end();
  await eventually(() => backend.received > 0);
  let last = 0;
  for (let turns = 0; turns < 200; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (backend.received !== last) turns = 0;
    last = backend.received;
  }
  assert.ok(last < messages / 4, `${last} messages were taken by a backend that wanted one`);

  const ended = once(stream, "end");
  while (backend.received < messages) {
    const { received } = backend;
    backend.listener?.drain();
    await eventually(() => backend.received > received || backend.received === messages);
  }
  backend.listener?.drain();
  await ended;
  assert.equal(backend.cancelled, false);
});
