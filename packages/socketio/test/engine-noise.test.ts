import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import * as fc from "fast-check";
import { connectClient, PollingClient, startEngine } from "./support/engine.ts";

const piece = fc.constantFrom(
  "0",
  "1",
  "2",
  "3",
  "4",
  "5",
  "6",
  "7",
  "b",
  ":",
  "\x1e",
  "a",
  "=",
  "é",
  "9999",
  "\0",
);
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data)),
  fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
);

/** The same ones in every run. */
function sample<Value>(arbitrary: fc.Arbitrary<Value>, count: number): Value[] {
  return fc.sample(arbitrary, { numRuns: count, seed: 7 });
}

test("no payload, of whatever bytes, costs more than its session", async (context) => {
  const { url, engine } = await startEngine(context);
  const request = fc.record({
    query: fc.constantFrom("EIO=4", "EIO=3", "EIO=3&b64=1", "EIO=4&j=1", "EIO=3&j=1"),
    type: fc.constantFrom("text/plain", "application/octet-stream", "application/x-www-form-urlencoded"),
    body: noise,
  });
  for (const { query, type, body } of sample(request, 300)) {
    const client = new PollingClient(url, query);
    await client.open();
    const response = await client.post(body, { "Content-Type": type });
    assert.ok([200, 400].includes(response.status));
    await response.text();
  }
  engine.close();
  await new PollingClient(url).open();
});

test("no message, of whatever bytes, costs more than its session or probe", async (context) => {
  const { url, engine } = await startEngine(context);
  const attempt = fc.record({
    revision: fc.constantFrom("3", "4"),
    upgrade: fc.boolean(),
    messages: fc.array(noise, { minLength: 1, maxLength: 4 }),
  });
  for (const { revision, upgrade, messages } of sample(attempt, 200)) {
    const client = new PollingClient(url, `EIO=${revision}`);
    if (upgrade) await client.open();
    const socket = await connectClient(client.target("websocket"));
    for (const message of messages) socket.connection.send(message);
    socket.connection.close();
    await socket.closed.next();
  }
  engine.close();
  assert.equal(engine.clientsCount, 0);
  await new PollingClient(url).open();
});

test("no request line or header, of whatever bytes, costs more than its connection", async (context) => {
  const { url, port } = await startEngine(context, { cors: { origin: true } });
  const target = fc.oneof(
    fc
      .array(
        fc.constantFrom("?", "&", "=", "/", "//", "%", "%00", "sid", "EIO=4", "transport=polling", "#", "j="),
      )
      .map((parts) => `/engine.io/${parts.join("")}`),
    fc.constantFrom(
      "//",
      "/engine.io/?",
      "/engine.io/?%",
      "http://[/engine.io/",
      "/engine.io/?sid[]=a&transport[]=b",
      "*",
    ),
  );
  const header = fc.constantFrom(
    "",
    "Origin: \x80\xff\r\n",
    "Origin: null\r\n",
    "Origin: http://[\r\n",
    "Upgrade: websocket\r\nConnection: Upgrade\r\n",
    "Upgrade: \r\nConnection: Upgrade\r\n",
    "__proto__: a\r\nconstructor: b\r\n",
    "Accept-Encoding: ;q=x,,gzip;q=;\r\n",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
  );
  const method = fc.constantFrom("GET", "POST", "OPTIONS", "HEAD", "PUT", "CONNECT", "TRACE");
  for (const [verb, path, field] of sample(fc.tuple(method, target, header), 300)) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => socket.destroy());
    socket.write(
      Buffer.from(`${verb} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${field}\r\n`, "latin1"),
    );
    socket.end();
    socket.resume();
    await once(socket, "close");
  }
  await new PollingClient(url).open();
});
