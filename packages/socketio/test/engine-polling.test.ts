import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { polled, PollingClient, startEngine, startPolling } from "./support/engine.ts";

const hasSession = (sid: string): boolean => /^[\w-]{20}$/.test(sid);

describe("a session by polling", () => {
  test("begins with what the client has to know, and nothing else", async (context) => {
    const { url } = await startEngine(context, { pingInterval: 300, pingTimeout: 200 });
    const said = await new PollingClient(url).open();
    assert.ok(hasSession(String(said.sid)));
    assert.deepEqual(said, {
      sid: said.sid,
      upgrades: ["websocket"],
      pingInterval: 300,
      pingTimeout: 200,
      maxPayload: 1_000_000,
    });
  });

  test("offers no upgrade where there is none", async (context) => {
    for (const options of [{ allowUpgrades: false }, { transports: ["polling"] }] as const) {
      const { url } = await startEngine(context, options);
      assert.deepEqual((await new PollingClient(url).open()).upgrades, []);
    }
  });

  test("has ids that are all different", async (context) => {
    const { url, engine } = await startEngine(context);
    await Promise.all(Array.from({ length: 50 }, () => new PollingClient(url).open()));
    assert.equal(engine.clientsCount, 50);
  });

  for (const [name, sent, received = sent] of [
    ["a text", "4hello"],
    ["an empty text", "4"],
    ["texts of any language", "4€\x1e4\u{1f600}"],
    ["several packets", "4test1\x1e4test2\x1e4test3"],
    ["texts and bytes", "4hello\x1ebAQIDBA=="],
    ["what it has no use for", "6\x1e0\x1e5\x1e4a", "4a"],
  ] as const) {
    test(`takes and gives ${name}`, async (context) => {
      const { url } = await startEngine(context);
      const client = new PollingClient(url);
      await client.open();
      const answer = await client.post(sent, { "Content-Type": "text/plain;charset=UTF-8" });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("content-type"), "text/html");
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.equal(await answer.text(), "ok");
      const poll = await client.get();
      assert.equal(poll.headers.get("content-type"), "text/plain; charset=UTF-8");
      assert.equal(poll.headers.get("cache-control"), "no-store");
      assert.equal(await poll.text(), received);
    });
  }

  test("has a poll wait until there is something, and then all that is sent in one tick", async (context) => {
    const { client, session } = await startPolling(context);
    const poll = client.poll();
    await polled(session);
    session.send("a");
    session.send(Buffer.of(1));
    assert.equal(await poll, "4a\x1ebAQ==");
  });

  test("can be closed by its client, whose poll is answered", async (context) => {
    const { client, session, ended } = await startPolling(context);
    const poll = client.poll();
    await polled(session);
    const answer = await client.post("4last\x1e1\x1e4never");
    assert.equal(await answer.text(), "ok");
    assert.ok(["4last", "6"].includes(await poll));
    assert.equal((await ended.next()).reason, "transport close");
    assert.equal((await client.get()).status, 400);
  });

  test("ends when a second poll comes while one waits", async (context) => {
    const { client, session, ended } = await startPolling(context);
    const first = client.poll();
    await polled(session);
    const second = await client.get();
    assert.equal(second.status, 400);
    assert.deepEqual(await second.json(), { code: 3, message: "a poll came while another one waits" });
    assert.equal(await first, "1");
    assert.equal((await ended.next()).reason, "transport error");
    assert.deepEqual(await (await client.get()).json(), { code: 1, message: "Session ID unknown" });
  });

  test("ends when a second POST comes while one is under way", async (context) => {
    const { url, ended } = await startEngine(context);
    const client = new PollingClient(url);
    await client.open();
    const slow = httpRequest(client.target(), { method: "POST" });
    slow.write("4a");
    const [socket] = (await once(slow, "socket")) as [Socket];
    await once(socket, "connect");
    const answered = once(slow, "response");
    // The second one may be first at the server; then it is the first of two.
    while (ended.size === 0) {
      const response = await client.post("4b");
      assert.ok([200, 400].includes(response.status));
    }
    const { reason, cause } = await ended.next();
    assert.equal(reason, "transport error");
    assert.match(String(cause), /another one is under way/);
    const [response] = (await answered) as [{ statusCode: number }];
    assert.equal(response.statusCode, 400);
    slow.destroy();
  });

  test("ends when its client gives up a poll", async (context) => {
    const { client, session, ended } = await startPolling(context);
    const controller = new AbortController();
    const poll = client.get({ signal: controller.signal });
    await polled(session);
    controller.abort();
    await assert.rejects(poll);
    const { reason, cause } = await ended.next();
    assert.equal(reason, "transport error");
    assert.match(String(cause), /gave up a poll/);
    assert.equal((await client.get()).status, 400);
  });

  test("ends when its client leaves in the middle of an answer, of which nobody knows how much it had", async (context) => {
    const { client, session, port, ended } = await startPolling(context);
    session.send("a".repeat(8_000_000), false);
    const { pathname, search } = new URL(client.target());
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await once(socket, "data");
    socket.destroy();
    assert.equal((await ended.next()).reason, "transport error");
  });

  test("ends when its client gives up a POST", async (context) => {
    const { client, port, ended } = await startPolling(context);
    const { pathname, search } = new URL(client.target());
    const socket = connect(port, "127.0.0.1");
    socket.write(`POST ${pathname}${search} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n4a`);
    socket.end(() => socket.destroy());
    const { reason, cause } = await ended.next();
    assert.equal(reason, "transport error");
    assert.match(String(cause), /gave up a POST/);
  });

  for (const body of ["abc", "", "4a\x1e", "4a\x1e7", "b!"]) {
    test(`ends with the payload ${JSON.stringify(body)}`, async (context) => {
      const { url, ended } = await startEngine(context);
      const client = new PollingClient(url);
      await client.open();
      const response = await client.post(body);
      assert.equal(response.status, 400);
      const { reason, cause } = await ended.next();
      assert.equal(reason, "parse error");
      assert.ok(cause !== undefined);
      assert.equal((await client.get()).status, 400);
    });
  }

  test("takes no bytes in revision 4", async (context) => {
    const { url, ended } = await startEngine(context);
    const client = new PollingClient(url);
    await client.open();
    const response = await client.post("4a", { "Content-Type": "application/octet-stream" });
    assert.equal(response.status, 400);
    assert.equal((await ended.next()).reason, "transport error");
  });

  test("takes POSTs of as many bytes as it says, and answers more with 413 and the limit", async (context) => {
    const { url, opened, ended } = await startEngine(context, { maxHttpBufferSize: 100 });
    const client = new PollingClient(url);
    assert.equal((await client.open()).maxPayload, 100);
    await opened.next();
    assert.equal((await client.post(`4${"a".repeat(99)}`)).status, 200);
    const response = await client.post(`4${"a".repeat(100)}`);
    assert.equal(response.status, 413);
    const message = "a payload has at most 100 bytes (maxHttpBufferSize)";
    assert.deepEqual(await response.json(), { code: 3, message });
    const { reason, cause } = await ended.next();
    assert.equal(reason, "transport error");
    assert.ok(String(cause).includes(message));
  });

  test("counts the bytes of a POST that does not say how many it has", async (context) => {
    const { url, ended } = await startEngine(context, { maxHttpBufferSize: 100 });
    const client = new PollingClient(url);
    await client.open();
    const post = httpRequest(client.target(), { method: "POST" });
    for (let index = 0; index < 50; index++) post.write("€€€");
    post.end();
    const [response] = (await once(post, "response")) as [{ statusCode: number; resume(): void }];
    assert.equal(response.statusCode, 413);
    response.resume();
    assert.match(String((await ended.next()).cause), /at most 100 bytes/);
  });

  test("has its answers compressed as the client asks, from a size on", async (context) => {
    const { client, session } = await startPolling(context, { httpCompression: { threshold: 100 } });
    for (const [accepted, coding, compress] of [
      ["gzip, deflate", "gzip", true],
      ["deflate", "deflate", true],
      ["gzip;q=0.2, deflate;q=0.5", "deflate", true],
      ["*", "gzip", true],
      ["br, gzip;q=0", null, true],
      ["identity", null, true],
      ["gzip", null, false],
    ] as const) {
      session.send("a".repeat(200), compress);
      const response = await client.get({ headers: { "Accept-Encoding": accepted } });
      assert.equal(response.headers.get("content-encoding"), coding, accepted);
      assert.equal(await response.text(), `4${"a".repeat(200)}`);
    }
    session.send("a".repeat(50));
    assert.equal((await client.get()).headers.get("content-encoding"), null);
  });

  test("has nothing compressed where that is switched off", async (context) => {
    const { client, session } = await startPolling(context, { httpCompression: false });
    session.send("a".repeat(5000));
    assert.equal((await client.get()).headers.get("content-encoding"), null);
  });
});

describe("a session by polling in revision 3", () => {
  test("has lengths in UTF-16 units before its packets", async (context) => {
    const { url } = await startEngine(context);
    const client = new PollingClient(url, "EIO=3&b64=1");
    const text = await (await client.get()).text();
    assert.match(text, /^\d+:0\{"sid"/);
    assert.equal(text.slice(text.indexOf(":") + 1).length, Number.parseInt(text, 10));
  });

  for (const [sent, received] of [
    ["6:4hello", "6:4hello"],
    ["6:4test16:4test26:4test3", "6:4test16:4test26:4test3"],
    ["2:4€3:4\u{1f600}", "2:4€3:4\u{1f600}"],
    ["6:4hello10:b4AQIDBA==", "6:4hello10:b4AQIDBA=="],
    ["1:2", "1:3"],
    ["6:2probe", "6:3probe"],
  ] as const) {
    test(`answers ${sent} with ${received}`, async (context) => {
      const { url } = await startEngine(context);
      const client = new PollingClient(url, "EIO=3&b64=1");
      await client.open();
      assert.equal(await (await client.post(sent)).text(), "ok");
      assert.equal(await client.poll(), received);
    });
  }

  test("has bytes for clients that can read them, and takes them as both", async (context) => {
    const { url } = await startEngine(context);
    const client = new PollingClient(url, "EIO=3");
    await client.open();
    await client.post("6:4hello10:b4AQIDBA==");
    const wire = Buffer.from("0006ff3468656c6c6f0105ff0401020304", "hex");
    for (let turn = 0; turn < 2; turn++) {
      const response = await client.get();
      assert.equal(response.headers.get("content-type"), "application/octet-stream");
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), wire);
      await client.post(wire, { "Content-Type": "application/octet-stream" });
    }
    await client.poll();
    await client.post("2:4a");
    assert.equal(await client.poll(), "2:4a");
  });

  test("is closed by its client, whose poll is answered", async (context) => {
    const { url, opened } = await startEngine(context);
    const client = new PollingClient(url, "EIO=3");
    await client.open();
    const session = await opened.next();
    const poll = client.poll();
    await polled(session);
    await client.post("1:1");
    assert.equal(await poll, "1:6");
    assert.equal((await client.post("1:2")).status, 400);
  });

  test("ends with a payload that cannot be read", async (context) => {
    const { url, ended } = await startEngine(context);
    const octets = { "Content-Type": "application/octet-stream" };
    for (const [body, headers] of [
      ["abc", {}],
      ["5:4a", {}],
      [Buffer.of(0, 9, 9, 255, 52), octets],
      [Buffer.of(7), octets],
    ] as const) {
      const client = new PollingClient(url, "EIO=3");
      await client.open();
      assert.equal((await client.post(body, headers)).status, 400);
      assert.equal((await ended.next()).reason, "parse error");
    }
  });
});

describe("a session by JSONP", () => {
  for (const [query, sent, received] of [
    ["EIO=3&b64=1&j=5", "6:4hello", "6:4hello"],
    ["EIO=3&j=5", "10:b4AQIDBA==", "10:b4AQIDBA=="],
    ["EIO=4&j=5", "4hello", "4hello"],
    ["EIO=4&j=5", '4"\u2028\\', '4"\u2028\\'],
  ] as const) {
    test(`gives scripts and takes forms: ${query} ${sent}`, async (context) => {
      const { url } = await startEngine(context);
      const client = new PollingClient(url, query);
      await client.open();
      const form = new URLSearchParams({ d: sent }).toString();
      const answer = await client.post(form, { "Content-Type": "application/x-www-form-urlencoded" });
      assert.equal(await answer.text(), "ok");
      const response = await client.get();
      assert.equal(response.headers.get("content-type"), "text/javascript; charset=UTF-8");
      const script = await response.text();
      assert.match(script, /^___eio\[5\]\(.*\);$/);
      assert.equal(JSON.parse(script.slice("___eio[5](".length, -2)), received);
    });
  }

  test("names its function by digits alone", async (context) => {
    const { url } = await startEngine(context);
    const query = `EIO=4&j=${encodeURIComponent("1](),alert(1),[")}`;
    assert.match(await new PollingClient(url, query).poll(), /^___eio\[11\]\("0/);
  });

  test("ends with a form that has no payload", async (context) => {
    const { url, ended } = await startEngine(context);
    const client = new PollingClient(url, "EIO=4&j=0");
    await client.open();
    assert.equal((await client.post("x=1")).status, 400);
    assert.equal((await ended.next()).reason, "parse error");
  });
});
