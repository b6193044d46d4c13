// What has crashed or blocked servers of Socket.IO, or leaked from them, and its like. Each test ends with another client that
// was there all along and is served as before; what nobody catches fails the test.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket as TcpSocket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { deflateRawSync } from "node:zlib";
import { FakeClock } from "@sluice/testkit/fake-clock";
import type { ServerOptions } from "../src/index.ts";
import { connectClient, PollingClient } from "./support/engine.ts";
import { next } from "./support/io-server.ts";
import { stockClients } from "./support/stock-clients.ts";
import { WireClient } from "./support/wire-client.ts";
import { converse, joinRoot, startWireServer, type WireServer } from "./support/wire-server.ts";

interface Victim extends WireServer {
  /** A client that was there all along is served as before, and so is one that comes. */
  readonly isWell: () => Promise<void>;
}

async function startVictim(context: TestContext, options: Partial<ServerOptions> = {}): Promise<Victim> {
  const server = await startWireServer(context, options);
  const bystander = await joinRoot(context, server.port, 4);
  return {
    ...server,
    isWell: async () => {
      await converse(bystander, ['> 42["echo","well"]', '< 42["echo","well"]']);
      await joinRoot(context, server.port, 4);
    },
  };
}

/** A connection that sends what it likes. */
function tcp(port: number): TcpSocket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => socket.destroy());
  socket.resume();
  return socket;
}

function upgradeRequest(query: string, headers: readonly string[] = []): string {
  return [
    `GET /socket.io/?${query} HTTP/1.1`,
    "Host: a",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
    "\r\n",
  ].join("\r\n");
}

/** A message of a client in one frame, without a mask of chance. */
function frame(first: number, payload: Buffer): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(payload.length));
  return Buffer.concat([Buffer.of(first, 0x80 | 127), size, Buffer.alloc(4), payload]);
}

describe("A request does not end the process", () => {
  // CVE-2022-41940: an error of the TCP connection of an upgrade had no listener.
  test("whose connection is reset while it is upgraded, or refused", async (context) => {
    const { port, url, isWell } = await startVictim(context);
    const session = new PollingClient(url);
    await session.open();
    for (const query of [
      "EIO=4&transport=websocket",
      `EIO=4&transport=websocket&sid=${session.sid}`,
      "EIO=4&transport=websocket&sid=unknown",
      "EIO=4&transport=polling",
      "EIO=9&transport=websocket",
    ]) {
      for (const wait of [false, true]) {
        const socket = tcp(port);
        await once(socket, "connect");
        await new Promise<unknown>((resolve) => {
          socket.write(upgradeRequest(query), resolve);
        });
        if (wait) await Promise.race([once(socket, "data"), once(socket, "close")]);
        socket.resetAndDestroy();
      }
    }
    await isWell();
  });

  // CVE-2022-21676: an error of a WebSocket that was not a session's yet had no listener.
  test("behind which there are frames that no WebSocket has, of a session, a probe or neither", async (context) => {
    const { port, url, isWell } = await startVictim(context);
    for (const bytes of [
      "ff80000000 00",
      "8105",
      "c1 80 00000000",
      "83 80 00000000",
      "89 ff 00000000 00000001 00000000",
    ]) {
      const session = new PollingClient(url);
      await session.open();
      for (const query of [
        "EIO=4&transport=websocket",
        "EIO=3&transport=websocket",
        `EIO=4&transport=websocket&sid=${session.sid}`,
        "EIO=4&transport=websocket&sid=unknown",
      ]) {
        const socket = tcp(port);
        const closed = once(socket, "close");
        socket.write(upgradeRequest(query));
        socket.end(Buffer.from(bytes.replaceAll(" ", ""), "hex"));
        await closed;
      }
    }
    await isWell();
  });

  // Properties of all objects were taken for transports, sessions and extensions.
  test("with the names of properties of all objects", async (context) => {
    const { port, url, isWell } = await startVictim(context);
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      for (const [query, code] of [
        [`EIO=4&transport=${name}`, 0],
        [`EIO=4&transport=polling&sid=${name}`, 1],
        [`EIO=${name}&transport=polling`, 5],
      ] as const) {
        const response = await fetch(`${url}?${query}`);
        assert.equal(response.status, 400);
        assert.equal(((await response.json()) as { code: number }).code, code);
      }
      assert.equal((await fetch(`${url}?EIO=4&transport=polling&${name}=1&${name}[a]=2`)).status, 200);
      assert.equal((await fetch(`http://127.0.0.1:${port}/socket.io/${name}`)).status, 400);
      const socket = tcp(port);
      socket.write(
        upgradeRequest("EIO=4&transport=websocket", [`Sec-WebSocket-Extensions: ${name}; ${name}=1`]),
      );
      await once(socket, "data");
      socket.destroy();
    }
    await isWell();
  });

  test("with very many headers, parameters or protocols", async (context) => {
    const { port, url, isWell } = await startVictim(context);
    const parameters = Array.from({ length: 1000 }, (_, index) => `p${index}=`).join("&");
    assert.equal((await fetch(`${url}?EIO=4&transport=polling&${parameters}`)).status, 200);
    for (const header of [
      `Sec-WebSocket-Protocol: ${"a".repeat(8000)}${" ".repeat(4000)}b`,
      `Sec-WebSocket-Extensions: ${"permessage-deflate, ".repeat(500)}permessage-deflate`,
      `Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits="${String.raw`\ `.repeat(3000)}`,
      Array.from({ length: 1900 }, (_, index) => `h${index}: 1`).join("\r\n"),
    ]) {
      const socket = tcp(port);
      socket.write(upgradeRequest("EIO=4&transport=websocket", [header]));
      await Promise.race([once(socket, "data"), once(socket, "close")]);
      socket.destroy();
    }
    await isWell();
  });

  test("and does not choose the code of a page by JSONP", async (context) => {
    const { url, isWell } = await startVictim(context);
    const response = await fetch(`${url}?EIO=4&transport=polling&j=${encodeURIComponent("0];alert(1);//")}`);
    assert.match(await response.text(), /^___eio\[\d+\]\("0\{/);
    await isWell();
  });

  // CVE-2020-28481: pages of all origins were let in.
  test("and pages of other origins are not let in unless that is asked for", async (context) => {
    const { port, url, isWell } = await startVictim(context);
    const response = await fetch(`${url}?EIO=4&transport=polling`, {
      headers: { Origin: "https://evil.example" },
    });
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    const socket = connect(port, "127.0.0.1");
    socket.write(upgradeRequest("EIO=4&transport=websocket", ["Origin: https://evil.example"]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 (400|403) /);
    socket.destroy();
    await isWell();
  });
});

describe("What a client sends is not kept beyond a bound", () => {
  // CVE-2020-36048
  test("in a request", async (context) => {
    const { url, isWell } = await startVictim(context);
    const session = new PollingClient(url);
    await session.open();
    const response = await session.post(`4${"a".repeat(1_000_000)}`);
    assert.equal(response.status, 413);
    assert.match(JSON.stringify(await response.json()), /1000000/);
    await isWell();
  });

  // CVE-2026-48779: fragments cost more than what is in them.
  test("in very many fragments of a message", async (context) => {
    const { port, isWell } = await startVictim(context);
    const socket = tcp(port);
    const closed = once(socket, "close");
    socket.write(upgradeRequest("EIO=4&transport=websocket"));
    await once(socket, "data");
    const [first, another] = [Buffer.of(0x01, 0x80, 0, 0, 0, 0), Buffer.of(0x00, 0x80, 0, 0, 0, 0)];
    socket.write(Buffer.concat([first, Buffer.alloc(200_000 * another.length, another)]));
    await closed;
    await isWell();
  });

  test("where it is small before it is inflated", async (context) => {
    const { port, isWell } = await startVictim(context, { perMessageDeflate: true });
    const socket = tcp(port);
    const closed = once(socket, "close");
    socket.write(
      upgradeRequest("EIO=4&transport=websocket", ["Sec-WebSocket-Extensions: permessage-deflate"]),
    );
    await once(socket, "data");
    socket.write(frame(0xc1, deflateRawSync(Buffer.alloc(50_000_000, "4"))));
    await closed;
    await isWell();
  });

  // socket.io-parser 4.2.6: a packet could say that any number of attachments follow.
  test("as attachments of a packet", async (context) => {
    const { port, ended, isWell } = await startVictim(context);
    const client = await joinRoot(context, port, 4);
    client.send('451000000-["echo"]');
    assert.match((await client.end()).reason, /at most 10 attachments/);
    assert.equal((await ended.next()).reason, "parse error");
    const patient = await joinRoot(context, port, 4);
    patient.send('452-["echo",{"_placeholder":true,"num":0}]', Buffer.alloc(900_000));
    patient.close();
    await ended.next();
    await isWell();
  });

  test("as namespaces, and their middlewares are not asked without end", async (context) => {
    const limits = { namespacesPerConnection: 3, eventBurst: 50 };
    const { io, port, isWell } = await startVictim(context, { limits, clock: new FakeClock() });
    let asked = 0;
    io.of("/asked").use((_socket, proceed) => {
      asked++;
      proceed(new Error("no"));
    });
    const client = await WireClient.connect(context, port);
    await converse(client, [
      ...[1, 2, 3].flatMap((each) => [`> 40/dyn-${each}`, `< 40/dyn-${each},{"sid":"*"}`] as const),
      "> 40/dyn-4",
      '< 44/dyn-4,{"message":"a connection has at most 3 namespaces (limits.namespacesPerConnection)"}',
    ]);
    const other = await WireClient.connect(context, port);
    other.send(...Array.from({ length: 1000 }, () => "40/asked"));
    assert.match((await other.end()).reason, /limits\.eventsPerSecond/);
    assert.equal(asked, 50);
    const third = await WireClient.connect(context, port);
    third.send(...Array.from({ length: 1000 }, (_, index) => `40/no-${index}`));
    assert.match((await third.end()).reason, /limits\.eventsPerSecond/);
    await isWell();
  });

  test("as events that nobody listens to", async (context) => {
    const { io, port, isWell } = await startVictim(context);
    const client = await joinRoot(context, port, 4);
    client.send(...Array.from({ length: 500 }, (_, index) => `42["early ${index}","${"a".repeat(1000)}"]`));
    await converse(client, ['> 42["echo"]', '< 42["echo"]']);
    assert.equal(io.counts.dropped.early, 500 - 32);
    await isWell();
  });
});

describe("A packet does not end the process", () => {
  // CVE-2022-2421: the number of a placeholder named any property of the list of attachments.
  for (const num of [
    "-1",
    "1",
    "0.5",
    "1e9",
    '"0"',
    '"splice"',
    '"__proto__"',
    "null",
    "{}",
    "[0]",
    "true",
  ]) {
    test(`with the placeholder of an attachment ${num}`, async (context) => {
      const { port, isWell } = await startVictim(context);
      const client = await joinRoot(context, port, 4);
      client.send(`451-["echo",{"_placeholder":true,"num":${num}}]`, Buffer.of(1));
      assert.match((await client.end()).reason, /placeholder/);
      await isWell();
    });
  }

  // CVE-2023-32695: the name of an event could be an object that has no text.
  test("with an event whose name is no text", async (context) => {
    const { port, isWell } = await startVictim(context);
    for (const name of ['{"toString":"a"}', "[[]]", "null", "true", '{"_placeholder":true,"num":0}']) {
      const client = await joinRoot(context, port, 4);
      client.send(`42[${name}]`);
      assert.match((await client.end()).reason, /name/);
      const binary = await joinRoot(context, port, 4);
      binary.send(`451-[${name},{"_placeholder":true,"num":0}]`, Buffer.of(1));
      assert.match((await binary.end()).reason, /name/);
    }
    await isWell();
  });

  // CVE-2024-38355: an event of the name "error" was thrown where nobody listened to it.
  test("with an event or an answer of a name that means something here", async (context) => {
    const { io, port, isWell } = await startVictim(context);
    io.on("connection", (socket) => socket.use((_event, proceed) => proceed(new Error("no"))));
    const client = await joinRoot(context, port, 4);
    for (const name of [
      "error",
      "drain",
      "expired",
      "message",
      "connection",
      "data",
      "__proto__",
      "constructor",
    ]) {
      client.send(`42["${name}","a"]`, `420["${name}"]`);
    }
    client.send('44{"message":"a"}');
    await client.end();
    const old = await joinRoot(context, port, 3);
    old.send('42["error","a"]', '44"error"');
    await old.end();
    await isWell();
  });

  test("nested so deep that it could not be sent on", async (context) => {
    const { port, isWell } = await startVictim(context);
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      for (const depth of [2000, 100_000]) {
        const json = `${open.repeat(depth)}1${close.repeat(depth)}`;
        for (const said of [`42["echo",${json}]`, `451-["echo",${json}]`, `40/custom,{"a":${json}}`]) {
          const client = await joinRoot(context, port, 4);
          client.send(said);
          assert.match((await client.end()).reason, /deeper than 1000 levels/);
        }
      }
      // The deepest that may be is sent on to others.
      const client = await joinRoot(context, port, 4);
      client.send(`42["echo",${open.repeat(999)}1${close.repeat(999)}]`);
      assert.equal(String(await client.next()).length, `42["echo",]1`.length + 999 * (open + close).length);
    }
    await isWell();
  });

  test("of MessagePack nested so deep that it could not be sent on, or that is none", async (context) => {
    const parser = stockClients.at(-1)!.msgpack;
    const { port, io } = await startWireServer(context, { parser });
    const encoder = new parser.Encoder();
    const joined = [...encoder.encode({ type: 0, nsp: "/" })] as Uint8Array[];
    const nested = (depth: number): Buffer => {
      const [event] = encoder.encode({ type: 2, nsp: "/", data: ["echo", 1] }) as [Uint8Array];
      assert.equal(event.at(-1), 1);
      return Buffer.concat([event.subarray(0, -1), Buffer.alloc(depth, 0x91), Buffer.of(1)]);
    };
    for (const bytes of [
      nested(2000),
      nested(7000),
      nested(400_000),
      Buffer.of(0xc1),
      Buffer.alloc(0),
      Buffer.of(0x93),
    ]) {
      const client = await WireClient.connect(context, port);
      client.send(...joined);
      await client.next();
      client.send(bytes);
      await client.end();
    }
    assert.equal(io.sockets.sockets.size, 0);
  });

  // CVE-2020-36049: reading a packet took time with the square of its length.
  test("however long it is, and its parts are", async (context) => {
    const { port, isWell } = await startVictim(context);
    for (const said of [
      `45${"1".repeat(900_000)}`,
      `4510-${"1".repeat(900_000)}`,
      `42/${"a".repeat(900_000)}`,
      `42${"1".repeat(900_000)}`,
      `42["${"a".repeat(900_000)}`,
      `42["echo",${"[],".repeat(300_000)}`,
      `42["echo","${String.raw`\"`.repeat(450_000)}`,
      `42["echo","${"\\".repeat(900_000)}`,
    ]) {
      const client = await joinRoot(context, port, 4);
      client.send(said);
      await client.end();
    }
    await isWell();
  });

  test("with the names of properties of all objects", async (context) => {
    const { io, port, isWell } = await startVictim(context);
    io.on("connection", (socket) => {
      socket.on("join", (room: string) => {
        void socket.join(room);
        io.to(room).emit("joined", room);
      });
    });
    const client = await joinRoot(context, port, 4);
    for (const name of ["__proto__", "constructor", "toString"]) {
      await converse(client, [
        `> 40/${name}`,
        `< 44/${name},{"message":"Invalid namespace"}`,
        `> 42["join","${name}"]`,
        `< 42["joined","${name}"]`,
        `> 42["echo",{"${name}":{"polluted":true}}]`,
        `< 42["echo",{"${name}":{"polluted":true}}]`,
      ]);
    }
    const allowed = next(io.of("/custom"), "connection");
    client.send('40/custom,{"__proto__":{"polluted":true},"constructor":1}');
    await allowed;
    const old = await joinRoot(context, port, 3);
    await converse(old, ["> 40/custom?__proto__=polluted&__proto__[polluted]=1,", "< 40/custom,"]);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    await isWell();
  });

  // CVE-2026-45736 told others what was beside bytes in memory.
  test("and no packet tells more of memory than its bytes", async (context) => {
    const { io, port, isWell } = await startVictim(context);
    const client = await joinRoot(context, port, 4);
    const memory = Buffer.from("secret 12 secret");
    const words = new Uint16Array(new Uint8Array(memory).buffer, 8, 1);
    io.to([...io.sockets.sockets.keys()].at(-1)!).emit("bytes", memory.subarray(7, 9), words);
    await converse(client, [
      '< 452-["bytes",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      "< binary 31 32",
      "< binary 32 20",
    ]);
    await isWell();
  });
});

test("A client that opens connections and says nothing is closed, and so are those that say half of a thing", async (context) => {
  const clock = new FakeClock();
  const { port, url, isWell } = await startVictim(context, { clock, pingInterval: 60_000 });
  const silent = await connectClient(`${url}?EIO=4&transport=websocket`);
  await silent.messages.next();
  const half = await WireClient.connect(context, port);
  half.send('451-/custom,["echo"]');
  clock.advance(45_000);
  assert.match((await half.end()).reason, /45000 ms/);
  assert.match((await silent.closed.next()).reason, /45000 ms/);
  await isWell();
});
