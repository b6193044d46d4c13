import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { converse, joinRoot, type Line, startWireServer } from "./support/wire-server.ts";
import { WireClient } from "./support/wire-client.ts";

/** What each side says from the opening of a WebSocket on. */
type Conversations = Readonly<Record<string, readonly Line[]>>;

const connecting: Readonly<Record<3 | 4, Conversations>> = {
  4: {
    "is given an id when it joins the main namespace": ["> 40", '< 40{"sid":"*"}'],
    "says what it likes to the main namespace": [
      '> 40{"token":"123"}',
      '< 40{"sid":"*"}',
      '< 42["auth",{"token":"123"}]',
    ],
    "may name the main namespace": ['> 40/,{"a":1}', '< 40{"sid":"*"}', '< 42["auth",{"a":1}]'],
    "joins another namespace, and needs not join the main one": ["> 40/custom,", '< 40/custom,{"sid":"*"}'],
    "may leave out the comma": [
      "> 40/custom",
      '< 40/custom,{"sid":"*"}',
      '> 42/custom,["echo"]',
      '< 42/custom,["echo"]',
    ],
    "says what it likes to another namespace": [
      '> 40/custom,{"token":"abc"}',
      '< 40/custom,{"sid":"*"}',
      '< 42/custom,["auth",{"token":"abc"}]',
    ],
    "has no query in the name of a namespace": [
      "> 40/custom?token=abc,",
      '< 44/custom?token=abc,{"message":"Invalid namespace"}',
    ],
    "joins several namespaces": [
      "> 40",
      "> 40/custom,",
      "> 40/dyn-7,",
      '< 40{"sid":"*"}',
      '< 40/custom,{"sid":"*"}',
      '< 40/dyn-7,{"sid":"*"}',
      '> 42/dyn-7,["echo",7]',
      '> 42["echo",1]',
      '< 42/dyn-7,["echo",7]',
      '< 42["echo",1]',
    ],
    "is refused a namespace that there is not, and goes on": [
      "> 40/random",
      '< 44/random,{"message":"Invalid namespace"}',
      "> 40/dyn-x,",
      '< 44/dyn-x,{"message":"Invalid namespace"}',
      "> 40",
      '< 40{"sid":"*"}',
    ],
    "is told why a middleware refuses it": [
      "> 40/denied",
      '< 44/denied,{"message":"not allowed","data":{"code":7}}',
      "> 40/refused,{}",
      '< 44/refused,{"message":"no"}',
      "> 40",
      '< 40{"sid":"*"}',
    ],
    "leaves a namespace, is told nothing, and may join it again": [
      "> 40",
      '< 40{"sid":"*"}',
      "> 40/custom",
      '< 40/custom,{"sid":"*"}',
      "> 41/custom,",
      '> 42["echo","still here"]',
      '< 42["echo","still here"]',
      "> 40/custom",
      '< 40/custom,{"sid":"*"}',
      "> 41/custom",
      "> 41",
      "> 40",
      '< 40{"sid":"*"}',
    ],
  },
  3: {
    "is in the main namespace unasked": ["< 40", '> 42["echo",1]', '< 42["echo",1]'],
    "may ask for the main namespace again when it has left it": ["< 40", "> 41", "> 40", "< 40"],
    "joins another namespace and is told no id": ["< 40", "> 40/custom,", "< 40/custom,"],
    "may leave out the comma": ["< 40", "> 40/custom", "< 40/custom,"],
    "says what it likes in the query of a namespace": [
      "< 40",
      "> 40/custom?token=abc&b=%20c,",
      "< 40/custom,",
      '< 42/custom,["auth",{"token":"abc","b":" c"}]',
      '> 42/custom,["echo",1]',
      '< 42/custom,["echo",1]',
    ],
    "is told why a middleware refuses it": [
      "< 40",
      "> 40/denied,",
      '< 44/denied,{"code":7}',
      "> 40/refused?a=b",
      '< 44/refused,"no"',
      '> 42["echo","still here"]',
      '< 42["echo","still here"]',
    ],
    "leaves a namespace, is told nothing, and may join it again": [
      "< 40",
      "> 40/dyn-8,",
      "< 40/dyn-8,",
      "> 41/dyn-8",
      '> 42["echo"]',
      '< 42["echo"]',
      "> 40/dyn-8?again,",
      "< 40/dyn-8,",
      '< 42/dyn-8,["auth",{"again":""}]',
    ],
  },
};

for (const revision of [3, 4] as const) {
  describe(`On the wire of revision ${revision} a client`, () => {
    for (const [name, lines] of Object.entries(connecting[revision])) {
      test(name, async (context) => {
        const { port } = await startWireServer(context);
        await converse(await WireClient.connect(context, port, revision), lines);
      });
    }

    test("is told when the server disconnects it from a namespace, and stays in the others", async (context) => {
      const { io, port, ended } = await startWireServer(context);
      const client = await joinRoot(context, port, revision);
      await converse(client, ["> 40/custom,", revision === 3 ? "< 40/custom," : '< 40/custom,{"sid":"*"}']);
      io.of("/custom").disconnectSockets();
      await converse(client, ["< 41/custom,", '> 42["echo"]', '< 42["echo"]']);
      assert.equal((await ended.next()).reason, "server namespace disconnect");
      io.disconnectSockets();
      await converse(client, ["< 41"]);
    });

    test("is told of each namespace when the server closes its connection", async (context) => {
      const { io, port } = await startWireServer(context);
      const client = await joinRoot(context, port, revision);
      const [socket] = io.sockets.sockets.values();
      socket?.disconnect(true);
      await converse(client, ["< 41"]);
      assert.equal((await client.end()).code, 1000);
    });
  });
}

test("A client that joins no namespace in time is closed, and told why", async (context) => {
  const { port } = await startWireServer(context, { connectTimeout: 20 });
  const client = await WireClient.connect(context, port);
  const { reason } = await client.end();
  assert.match(reason, /20 ms/);
});

test("A client of a server that recovers is told a secret, and may say it when it comes back", async (context) => {
  const { io, port } = await startWireServer(context, { connectionStateRecovery: {} });
  const first = await WireClient.connect(context, port);
  first.send("40");
  const told = String(await first.next());
  assert.match(told, /^40\{"sid":"[\w-]{20}","pid":"[\w.-]{20,}"\}$/);
  const { pid } = JSON.parse(told.slice(2)) as { pid: string };
  io.emit("kept");
  const [, offset] = JSON.parse(String(await first.next()).slice(2)) as [string, string];
  assert.equal(typeof offset, "string");
  first.send('42["echo","a"]');
  const [, echoed, later] = JSON.parse(String(await first.next()).slice(2)) as string[];
  assert.equal(echoed, "a");
  assert.notEqual(later, offset);
  const left = new Promise((resolve) => {
    io.sockets.sockets.values().next().value?.on("disconnect", resolve);
  });
  first.close();
  await left;
  const second = await WireClient.connect(context, port);
  second.send(`40${JSON.stringify({ pid, offset })}`);
  const answers = [String(await second.next()), String(await second.next())];
  assert.deepEqual(
    answers.toSorted((one, other) => one.localeCompare(other)),
    [told, `42["echo","a","${later}"]`],
  );
});
