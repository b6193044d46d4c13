import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { describe, test, type TestContext } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { acceptWebSocket } from "@sluice/websocket";
import {
  createSseHandler,
  encodePacket,
  Hub,
  type HubOptions,
  type KnownClient,
  roomsByPattern,
  SocketFaces,
  type SocketFacesOptions,
  type SseOptions,
} from "../../src/index.ts";
import { listen } from "./support/server.ts";
import { type Said, SessionClient } from "./support/session-client.ts";
import { exchange, post, SseClient } from "./support/sse-client.ts";
import { WsClient } from "./support/ws-client.ts";

/** Does something wrong, and says what the client sees of it, in the words of the table. */
type Probe = (context: TestContext) => Promise<string>;
type FaceName = "websocket" | "session" | "packet" | "sse";
type Row = Partial<Record<FaceName, Probe>>;

const key = "a-secret-of-this-client-0001";
const protocols: Readonly<Record<string, string[]>> = {
  websocket: [],
  session: ["sluice.session.v1"],
  packet: ["sluice.packet.v1"],
};

interface Server {
  readonly hub: Hub;
  readonly port: number;
  readonly clock: FakeClock;
}

interface StartOptions {
  readonly hub?: HubOptions;
  readonly sockets?: SocketFacesOptions;
  readonly sse?: SseOptions;
  readonly known?: KnownClient;
}

/** A hub on all faces, which allows everything but what is secret, and whose tokens are all forged. */
async function start(context: TestContext, options: StartOptions = {}): Promise<Server> {
  const clock = new FakeClock();
  const hub = new Hub({
    rooms: roomsByPattern({ "*": { history: { size: 100, ttlMs: 60_000 }, presence: true } }),
    authorize: (_session, action, target) => action !== "send" && target !== "secret",
    ...options.hub,
  });
  hub.onMessage((session, text) => void session.send(text));
  hub.onMessageBinary((session, bytes) => void session.send(bytes));
  const faces = new SocketFaces(hub, {
    identify: (token) => Promise.reject(new Error(token)),
    heartbeat: { intervalMs: Infinity, patienceMs: Infinity },
    clock,
    ...options.sockets,
  });
  const events = createSseHandler(hub, { clock, ...options.sse });
  const http = createServer((asked, response) => events(asked, response, options.known));
  http.on("upgrade", (asked, socket, head) => {
    acceptWebSocket(asked, socket, head, faces.accept(asked, options.known));
  });
  return { hub, clock, port: await listen(context, http, hub) };
}

function connect(context: TestContext, { port }: Server, face: FaceName, path = "/"): Promise<WsClient> {
  return WsClient.connect(context, port, { path, protocols: protocols[face] ?? [] });
}

/** The close code of a client that has sent these messages; on the session wire after `connect`. */
function closeCode(
  face: FaceName,
  messages: readonly (string | Uint8Array)[],
  options: StartOptions = {},
): Probe {
  return async (context) => {
    const client = await connect(context, await start(context, options), face);
    if (face === "session") client.send('{"connect":{}}');
    for (const message of messages) client.send(message);
    return String((await client.closed).code);
  };
}

/** The close code of a client that connects with a query. */
function closeCodeOf(face: FaceName, query: string): Probe {
  return async (context) => {
    const client = await connect(context, await start(context), face, `/${query}`);
    return String((await client.closed).code);
  };
}

/** The code of the error that answers a command. */
function errorOf(command: object, options: StartOptions = {}): Probe {
  return async (context) => {
    const { port } = await start(context, options);
    const { client } = await SessionClient.connect(context, port);
    const { id, error } = await client.call(command);
    assert.equal(id, 1);
    return `\`${(error as { code: string }).code}\``;
  };
}

/** The status that answers a POST to an open stream. */
function posted(body: string | Uint8Array, type = "text/plain", options: StartOptions = {}): Probe {
  return async (context) => {
    const { port } = await start(context, options);
    await SseClient.connect(context, port, `/?resume=${key}`);
    return `POST: ${(await post(port, `/?resume=${key}`, body, type)).status}`;
  };
}

/** The status that answers a request for a stream. */
function opened(path: string, options: StartOptions = {}): Probe {
  return async (context) => {
    const { port } = await start(context, options);
    const { status, body } = await exchange(port, { path });
    const { error } = JSON.parse(body) as { error: { code: string; message: string } };
    assert.ok(error.code !== "" && error.message !== "");
    return String(status);
  };
}

/** Whether a client gets back both a text and bytes that make no sense. */
async function echoesAnything(context: TestContext): Promise<boolean> {
  const client = await connect(context, await start(context), "websocket");
  client.send("{{{");
  client.send(Buffer.from([0, 1, 2]));
  assert.equal(await client.next(), "{{{");
  assert.deepEqual(await client.next(), Buffer.from([0, 1, 2]));
  return true;
}

/** What a client sees that asks for a session which is not there any more. */
async function seenOfLoss(context: TestContext, lastEventId: string): Promise<string> {
  const { port } = await start(context);
  const client = await SseClient.connect(context, port, `/?resume=${key}`, { "last-event-id": lastEventId });
  await client.json("sluice.session");
  return `\`${(await client.next()).type}\``;
}

const packet = (content = "", type = 0, who = 0): Buffer =>
  encodePacket({ type, who, content: Buffer.from(content) });
const flood = { hub: { limits: { messagesPerSecond: 1, messageBurst: 5 } } };
const small = { hub: { limits: { messageBytes: 100 } } };
const flooding = (message: string | Uint8Array): (string | Uint8Array)[] =>
  Array.from({ length: 20 }, () => message);
const awaiting = { known: { awaitsToken: true } };

/** The close code of a client that says nothing. */
function silence(face: FaceName): Probe {
  return async (context) => {
    const server = await start(context, awaiting);
    const client = await connect(context, server, face);
    server.clock.advance(10_000);
    return String((await client.closed).code);
  };
}

const rows: Readonly<Record<string, Row>> = {
  "malformed: not of the wire": {
    websocket: async (context) => ((await echoesAnything(context)) ? "anything is a message" : ""),
    session: closeCode("session", ["{"]),
    packet: closeCode("packet", [Buffer.alloc(0)]),
    sse: posted("{", "application/json"),
  },
  "a text where bytes are due, or the reverse": {
    websocket: async (context) => ((await echoesAnything(context)) ? "both are messages" : ""),
    session: closeCode("session", [Buffer.from('{"send":1}')]),
    packet: closeCode("packet", ["text"]),
    sse: posted("<a/>", "text/xml"),
  },
  "a length that lies, a header cut short": {
    packet: async (context) => {
      const cut = await closeCode("packet", [packet().subarray(0, 11)])(context);
      const lie = await closeCode("packet", [packet("abc").subarray(0, 13)])(context);
      assert.equal(cut, lie);
      return lie;
    },
  },
  "more packets in a message than allowed": {
    packet: closeCode("packet", [Buffer.concat(Array.from({ length: 65 }, () => packet()))]),
  },
  "an unknown type or verb": {
    session: closeCode("session", ['{"shout":"hello"}']),
    packet: async (context) => {
      const unknown = await closeCode("packet", [packet("", 8)], { sockets: { packetTypes: new Set([7]) } })(
        context,
      );
      assert.equal(unknown, await closeCode("packet", [packet("", 0xff_ff_ff_ff)])(context));
      return unknown;
    },
  },
  "members that are wrong": {
    session: errorOf({ join: "a", since: 7 }),
    sse: opened("/?room="),
  },
  "a message over the limit": {
    websocket: closeCode("websocket", ["x".repeat(101)], small),
    session: async (context) => {
      const content = await closeCode("session", [JSON.stringify({ send: "x".repeat(101) })], small)(context);
      const whole = { sockets: { limits: { envelopeBytes: 50 } } };
      assert.equal(
        content,
        await closeCode("session", [JSON.stringify({ send: "x".repeat(50) })], whole)(context),
      );
      return content;
    },
    packet: closeCode("packet", [packet("x".repeat(101))], small),
    sse: posted("x".repeat(101), "text/plain", small),
  },
  "a publication over the limit": {
    session: errorOf({ publish: "a", data: "x".repeat(101) }, small),
  },
  "more messages a second than allowed": {
    websocket: closeCode("websocket", flooding("x"), flood),
    session: async (context) => {
      const said = await closeCode("session", flooding('{"send":"x"}'), flood)(context);
      for (const other of ['{"history":"a"}', '{"received":0}', '{"join":7}']) {
        assert.equal(said, await closeCode("session", flooding(other), flood)(context));
      }
      return said;
    },
    packet: closeCode("packet", flooding(packet("x")), flood),
    sse: async (context) => {
      const { port } = await start(context, flood);
      const client = await SseClient.connect(context, port, `/?resume=${key}`);
      await client.json("sluice.session");
      let status = 202;
      while (status === 202) ({ status } = await post(port, `/?resume=${key}`, "x"));
      let event = await client.next();
      while (event.type === "message") event = await client.next();
      assert.equal((JSON.parse(event.data) as { code: number }).code, 4429);
      return `POST: ${status}, and \`${event.type}\``;
    },
  },
  "commands without waiting for answers": {
    session: async (context) => {
      const authorize = counting();
      const { port } = await start(context, { hub: { ...plenty, authorize } });
      const { client } = await SessionClient.connect(context, port);
      for (let count = 0; count < 300; count++) client.ask({ presence: `room ${count}` });
      const ids = (await client.take(300)).map(({ id }) => Number(id));
      assert.deepEqual(
        ids.toSorted((a, b) => a - b),
        Array.from({ length: 300 }, (_, index) => index + 1),
      );
      assert.ok(authorize.most() <= 32, `${authorize.most()} at once`);
      return "held up, all answered";
    },
    packet: async (context) => {
      const authorize = counting();
      const server = await start(context, { hub: { ...plenty, authorize } });
      const client = await connect(context, server, "packet");
      client.send(packet("who am I?"));
      await client.next();
      const [self] = [...server.hub.sessions];
      for (let count = 0; count < 100; count++) client.send(packet(String(count), 0, self?.number));
      for (let count = 0; count < 100; count++) {
        assert.equal((await client.next()).slice(12).toString(), String(count));
      }
      assert.equal(authorize.most(), 1);
      return "held up";
    },
    sse: async (context) => {
      const { hub, port } = await start(context, { sse: { limits: { pendingPosts: 1 } } });
      const answers: (() => void)[] = [];
      const taken = new Promise<void>((resolve) => {
        hub.onReceive((_session, _message, answer) => {
          answers.push(() => answer({ ok: true }));
          resolve();
        });
      });
      await SseClient.connect(context, port, `/?resume=${key}`);
      const first = post(port, `/?resume=${key}`, "1");
      await taken;
      const { status } = await post(port, `/?resume=${key}`, "2");
      for (const answer of answers) answer();
      assert.equal((await first).status, 202);
      return `POST: ${status}`;
    },
  },
  "join without permission": {
    session: errorOf({ join: "secret" }),
    sse: opened("/?room=secret"),
  },
  "publish without permission": { session: errorOf({ publish: "secret", data: 1 }) },
  "addressing a session without permission": {
    packet: async (context) => {
      const server = await start(context);
      const client = await connect(context, server, "packet");
      client.send(packet("hello"));
      await client.next();
      client.send(packet("to myself", 0, [...server.hub.sessions][0]?.number));
      client.send(packet("next"));
      assert.equal((await client.next()).slice(12).toString(), "next");
      assert.deepEqual(server.hub.counts.denied, { send: 1 });
      return "passed by";
    },
  },
  "a forged token": {
    websocket: closeCode("websocket", ["forged"], awaiting),
    session: async (context) => {
      const client = await connect(context, await start(context), "session");
      client.send('{"connect":{"token":"forged"}}');
      return String((await client.closed).code);
    },
    packet: closeCode("packet", ["forged"], awaiting),
    sse: opened("/", { hub: { admit: () => ({ code: 4401, reason: "the token is not valid" }) } }),
  },
  "a forged token in `refresh`": { session: errorOf({ refresh: "forged" }) },
  "a replayed idempotency key": {
    session: async (context) => {
      const { hub, port } = await start(context);
      const { client } = await SessionClient.connect(context, port);
      const publish = { publish: "a", data: 1, key: "once" };
      await client.call(publish);
      const { ok } = (await client.call(publish)) as { ok: Said };
      assert.equal((await hub.history("a")).publications.length, 1);
      return `\`duplicate: ${String(ok["duplicate"])}\`, published once`;
    },
  },
  "silence before the first message": {
    websocket: silence("websocket"),
    session: silence("session"),
    packet: silence("packet"),
    sse: async (context) => {
      const { clock, port } = await start(context);
      await SseClient.connect(context, port, `/?resume=${key}`);
      const path = `/?resume=${key}`;
      const slow = request({ host: "127.0.0.1", port, method: "POST", path, agent: false });
      context.after(() => slow.destroy());
      slow.setHeader("content-type", "text/plain");
      slow.setHeader("expect", "100-continue");
      slow.flushHeaders();
      await once(slow, "continue");
      clock.advance(10_000);
      const [response] = (await once(slow, "response")) as [{ statusCode: number }];
      return `POST body: ${response.statusCode}`;
    },
  },
  "a resume key that is none": {
    websocket: closeCodeOf("websocket", "?resume=short"),
    session: async (context) => {
      const client = await connect(context, await start(context), "session");
      client.send('{"connect":{"resume":{"key":"short","received":0}}}');
      return String((await client.closed).code);
    },
    packet: closeCodeOf("packet", "?resume=short"),
    sse: opened("/?resume=short"),
  },
  "a session to resume that is gone": {
    websocket: closeCodeOf("websocket", `?resume=${key}&received=1`),
    session: async (context) => {
      const { port } = await start(context);
      const { connected } = await SessionClient.connect(context, port, { resume: { key, received: 1 } });
      return `\`recovered: ${String(connected["recovered"])}\``;
    },
    packet: closeCodeOf("packet", `?resume=${key}&received=1`),
    sse: (context) => seenOfLoss(context, "1"),
  },
  "a session that the client does not have": {
    packet: async (context) => {
      const client = await connect(context, await start(context), "packet");
      client.send(packet("anybody?", 0, 4_000_000_000));
      client.send(packet("next"));
      assert.equal((await client.next()).slice(12).toString(), "next");
      return "passed by";
    },
    sse: async (context) => {
      const { port } = await start(context);
      const byId = await post(port, "/", "x", "text/plain", { "sluice-session": "AAAAAAAAAAAAAAAAAAAAAA" });
      const byKey = await post(port, `/?resume=${key}`, "x");
      const byNothing = await post(port, "/", "x");
      assert.deepEqual([byKey.status, byNothing.status], [byId.status, byId.status]);
      return `POST: ${byId.status}`;
    },
  },
  "`received` of more than was sent": {
    websocket: async (context) => {
      const server = await start(context);
      await connect(context, server, "websocket", `/?resume=${key}`);
      const client = await connect(context, server, "websocket", `/?resume=${key}&received=99`);
      return String((await client.closed).code);
    },
    session: async (context) => {
      const { port } = await start(context);
      const { client } = await SessionClient.connect(context, port, { resume: { key, received: 0 } });
      client.say({ received: 99 });
      return String((await client.ws.closed).code);
    },
    packet: closeCodeOf("packet", `?resume=${key}&received=99`),
    sse: (context) => seenOfLoss(context, "99"),
  },
};

const plenty = { limits: { messagesPerSecond: 1e6, messageBurst: 1e6 } };

/** Allows everything, later, and counts how often it is asked at once. */
function counting(): (() => Promise<boolean>) & { most: () => number } {
  let now = 0;
  let most = 0;
  const authorize = async (): Promise<boolean> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    now--;
    return true;
  };
  return Object.assign(authorize, { most: () => most });
}

/** The cells of the table in the documentation that say something: row, face, and what. */
function documented(): [row: string, face: FaceName, seen: string][] {
  const text = readFileSync(new URL("../../../../docs/sessions.md", import.meta.url), "utf8");
  const lines = text
    .slice(text.indexOf("## Bad input"))
    .split("\n")
    .filter((line) => line.startsWith("|"));
  return lines.slice(2).flatMap((line) => {
    const [row = "", ...cells] = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    const faces: FaceName[] = ["websocket", "session", "packet", "sse"];
    return faces.flatMap((face, index): [string, FaceName, string][] => {
      const seen = cells[index] ?? "";
      return seen === "" ? [] : [[row, face, seen]];
    });
  });
}

describe("bad input, as docs/sessions.md says", () => {
  const cells = documented();

  test("the documentation says everything that is tested here", () => {
    const tested = Object.entries(rows).flatMap(([row, probes]) =>
      Object.keys(probes).map((face) => `${row} ${face}`),
    );
    assert.deepEqual(tested.toSorted(), cells.map(([row, face]) => `${row} ${face}`).toSorted());
  });

  for (const [row, face, seen] of cells) {
    test(`${row}: on ${face} it is ${seen}`, async (context) => {
      const probe = rows[row]?.[face];
      assert.ok(probe !== undefined, "no test for this cell");
      assert.equal(await probe(context), seen);
    });
  }
});
