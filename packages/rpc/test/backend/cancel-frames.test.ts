import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { test, type TestContext } from "node:test";
import { noMetadata, type CallListener, type Method } from "../../src/index.ts";
import { createHttp2Backend } from "../../src/backend/http2-backend.ts";

const data = 0;
const headers = 1;
const rstStream = 3;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}

/** Listens, hands every connection on to `port`, and tells of the client's frames on streams. */
async function startFrameTap(
  context: TestContext,
  port: number,
  saw: (frame: Frame) => void,
): Promise<Server> {
  const tap = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    let held = Buffer.alloc(0);
    let skip = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
    client.on("data", (chunk: Buffer) => {
      server.write(chunk);
      held = Buffer.concat([held, chunk]);
      for (;;) {
        const rest = held.subarray(skip);
        if (rest.length < 9 || rest.length < 9 + rest.readUIntBE(0, 3)) return;
        const end = 9 + rest.readUIntBE(0, 3);
        if (rest.readUInt32BE(5) > 0)
          saw({ type: rest[3] ?? 0, flags: rest[4] ?? 0, payload: rest.subarray(9, end) });
        skip += end;
      }
    });
    server.pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
  tap.listen(0, "127.0.0.1");
  await once(tap, "listening");
  context.after(() => tap.close());
  return tap;
}

test("a cancelled stream of requests is reset, and never looks like one that was half-closed", async (context) => {
  const server = createHttp2Server();
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());

  const frames: Frame[] = [];
  const reset = deferred();
  const tap = await startFrameTap(context, (server.address() as AddressInfo).port, (frame) => {
    frames.push(frame);
    if (frame.type === rstStream) reset.resolve();
  });
  const backend = createHttp2Backend(`127.0.0.1:${(tap.address() as AddressInfo).port}`);
  context.after(() => backend.close(0));

  const began = deferred();
  const listener: CallListener = {
    headers: () => began.resolve(),
    message: () => undefined,
    drain: () => undefined,
    end: () => undefined,
  };
  const method = { path: "/test.Service/Bidi", kind: "bidi_streaming" } as Method;
  const call = backend.open({ method, metadata: noMetadata }, listener);
  call.send(Buffer.from("hello"));
  await began.promise;
  call.cancel();
  await reset.promise;

  assert.deepEqual(
    frames.map(({ type }) => type),
    [headers, data, rstStream],
  );
  assert.ok(
    frames.every(({ type, flags }) => type === rstStream || (flags & 1) === 0),
    "END_STREAM was sent",
  );
  assert.equal(frames.at(-1)?.payload.readUInt32BE(0), 8, "CANCEL");
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
