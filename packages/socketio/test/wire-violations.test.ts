import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SocketIoError } from "../src/index.ts";
import { PollingClient } from "./support/engine.ts";
import { converse, joinRoot, startWireServer } from "./support/wire-server.ts";
import { WireClient } from "./support/wire-client.ts";

const data = Buffer.from([1, 2, 3]);

/** What cannot be read, once the client has joined the main namespace, and what the client is told of it. */
const unreadable: readonly (readonly [said: readonly (string | Buffer)[], told: RegExp])[] = [
  ...["4", "47", "4abc", "4-", "4{}", '4"0"', "4 2", "4\u{1F600}"].map(
    (said) => [[said], /type, 0 to 6/] as const,
  ),
  ...["40[]", '40"a"', "40null", "40/dyn-1,[]"].map(
    (said) => [[said], /CONNECT says must be an object/] as const,
  ),
  ...["41{}", '41"a"', "41[]"].map((said) => [[said], /DISCONNECT says nothing/] as const),
  ...["42", "42{}", "42[]", '42"a"', "42null", "42[null]", "42[{}]", "42[[]]", "42[true]", "421", "42/,"].map(
    (said) => [[said], /begins with the event's name/] as const,
  ),
  ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map(
    (name) => [[`42["${name}"]`], new RegExp(`cannot be ${name}: it is reserved`)] as const,
  ),
  ...[
    '42abc["a"]',
    '42["a"',
    '42-1["a"]',
    '421.5["a"]',
    '42["a"]x',
    "42undefined",
    "42['a']",
    '42[,"a"]',
  ].map((said) => [[said], /JSON/] as const),
  ...["43[]", "430", "430{}", '430"a"', "43null"].map((said) => [[said], /ACK must have the id/] as const),
  ...['421234567890123456["a"]', `43${"9".repeat(10_000)}[]`].map(
    (said) => [[said], /at most 15 digits/] as const,
  ),
  ...[
    "45",
    '45["a"]',
    '45-["a"]',
    '451["a"]',
    '45x-["a"]',
    '450-["a"]',
    '45-1-["a"]',
    "46-0[]",
    "460-0[]",
  ].map((said) => [[said], /how many attachments/] as const),
  ...['4511-["a"]', '45999999999-["a"]', "4611-0[]"].map(
    (said) => [[said], /at most 10 attachments/] as const,
  ),
  ...["451-", "451-{}", "451-[]", "451-[null]"].map(
    (said) => [[said], /begins with the event's name/] as const,
  ),
  [['451-["connect"]'], /reserved/],
  [['451-["a",{"_placeholder":true,"num":0}]', '42["a"]'], /text came where an attachment/],
  [['451-["a",{"_placeholder":true,"num":0}]', "41"], /text came where an attachment/],
  [['461-0[{"_placeholder":true,"num":0}]', "430[]"], /text came where an attachment/],
  [[data], /attachment came that no packet has/],
  [['451-["echo",{"_placeholder":true,"num":0}]', data, data], /attachment came that no packet has/],
];

/** What can be read, and is against the rules. */
const forbidden: readonly (readonly [said: readonly (string | Buffer)[], told: RegExp])[] = [
  [["40"], /joined \/ already/],
  [["401"], /joined \/ already/],
  [['40{"a":1}'], /joined \/ already/],
  [['42/custom,["echo"]'], /not joined \/custom/],
  [["43/custom,0[]"], /not joined \/custom/],
  [["41/custom"], /not joined \/custom/],
  [['42/nowhere,["echo"]'], /not joined \/nowhere/],
  [["41", '42["echo"]'], /not joined \//],
  [['44{"message":"no"}'], /CONNECT_ERROR is the server's/],
  [['44/custom,"no"'], /not joined \/custom/],
];

for (const revision of [3, 4] as const) {
  describe(`On the wire of revision ${revision} a client is closed and told why when it says`, () => {
    for (const [said, told] of [...unreadable, ...forbidden]) {
      const shown = said
        .map((each) => (typeof each === "string" ? each.slice(0, 60) : "bytes"))
        .join(", then ");
      test(shown, async (context) => {
        const { port, ended } = await startWireServer(context);
        const other = await joinRoot(context, port, revision);
        const client = await joinRoot(context, port, revision);
        const sent = said.map((each) =>
          typeof each === "string" || revision === 4 ? each : Buffer.concat([Buffer.of(4), each]),
        );
        client.send(...sent);
        const { code, reason } = await client.end();
        assert.match(reason, told);
        assert.equal(code, 1002);
        const end = await ended.next();
        if (said[0] === "41") assert.equal(end.reason, "client namespace disconnect");
        else {
          const isUnreadable = unreadable.some(([each]) => each === said);
          assert.equal(end.reason, isUnreadable ? "parse error" : "forced server close");
          assert.ok(end.description instanceof SocketIoError);
          assert.match(end.description.message, told);
        }
        await converse(other, ['> 42["echo"]', '< 42["echo"]']);
      });
    }
  });
}

describe("On the wire of revision 4 a client that has joined nothing is closed and told why when it says", () => {
  for (const said of ['42["echo"]', "41", "430[]", '42/custom,["echo"]', '44"no"']) {
    test(said, async (context) => {
      const { port } = await startWireServer(context);
      const client = await WireClient.connect(context, port);
      client.send(said);
      const { code, reason } = await client.end();
      assert.equal(code, 1002);
      assert.match(reason, /not joined/);
    });
  }

  test('42["echo"] while it is let in', async (context) => {
    const { io, port } = await startWireServer(context);
    const asked = new Promise<void>((resolve) => {
      io.of("/slow").use(() => resolve());
    });
    const client = await WireClient.connect(context, port);
    client.send("40/slow");
    await asked;
    client.send('42/slow,["echo"]');
    assert.match((await client.end()).reason, /not joined/);
    assert.equal(io.of("/slow").sockets.size, 0);
  });
});

describe("By polling", () => {
  for (const [said, reason] of [
    ["4abc", "parse error"],
    ['42/custom,["echo"]', "forced server close"],
  ] as const) {
    test(`a client is told of its end in the poll that waits when it says ${said}`, async (context) => {
      const { url, ended } = await startWireServer(context);
      const client = new PollingClient(url);
      await client.open();
      await client.post("40");
      await client.poll();
      const waiting = client.poll();
      assert.equal(await (await client.post(said)).text(), "ok");
      assert.equal(await waiting, "1");
      assert.equal((await ended.next()).reason, reason);
      const late = await client.get();
      assert.equal(late.status, 400);
      assert.deepEqual(await late.json(), { code: 1, message: "Session ID unknown" });
    });
  }

  test("nothing behind a violation in the same payload is handled", async (context) => {
    const { io, url, ended } = await startWireServer(context);
    const heard: unknown[] = [];
    io.on("connection", (socket) => socket.onAny((...args: unknown[]) => void heard.push(args)));
    const client = new PollingClient(url);
    await client.open();
    await client.post("40");
    await client.poll();
    await client.post('42["before"]\x1e4abc\x1e42["behind"]');
    await ended.next();
    assert.deepEqual(heard, [["before"]]);
  });
});
