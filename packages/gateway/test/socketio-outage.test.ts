import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { io, type Socket } from "socket.io-client";
import { ScriptedHandler } from "./sessions/scripted-handler.ts";
import { ask, next, startSocketIoGateway } from "./socketio-support.ts";

const say = "sluice.test.v1.Echo/Say";
const sleep = "sluice.test.v1.Echo/Sleep";

interface Failure {
  readonly error: { readonly code: number; readonly status: string; readonly message: string };
}

async function connected(context: TestContext, url: string): Promise<Socket> {
  const socket = io(url, { path: "/io", transports: ["websocket"], forceNew: true, reconnection: false });
  context.after(() => socket.disconnect());
  await next(socket, "connect");
  return socket;
}

/** The answer to a call, once it is one of a backend that is there. */
async function answered(socket: Socket, name: string, ...args: unknown[]): Promise<unknown[]> {
  for (;;) {
    const [answer] = (await ask(socket, name, ...args)) as [Partial<Failure> | undefined];
    if (answer?.error === undefined) return [answer];
    assert.equal(answer.error.status, "UNAVAILABLE");
  }
}

async function startEcho(context: TestContext, port = 0): Promise<EchoServer> {
  const echo = await startEchoServer({ port });
  context.after(() => echo.close());
  return echo;
}

describe("a backend that is killed, and a client of Socket.IO", () => {
  test("whose unary call it has: the answer is an error, and calls go on when it is back", async (context) => {
    const echo = await startEcho(context);
    const { gateway, url } = await startSocketIoGateway({ echo });
    context.after(() => gateway.close(0));
    const socket = await connected(context, url);
    const { id } = socket;
    assert.deepEqual(await answered(socket, say, { text: "before" }), [{ text: "before" }]);
    const asked = [ask(socket, sleep, {}), ask(socket, sleep, {})];
    await echo.calls.until(() => echo.calls.records.filter(({ path }) => path === `/${sleep}`).length === 2);
    await echo.kill();
    for (const [answer] of (await Promise.all(asked)) as [Failure][]) {
      assert.deepEqual([answer.error.code, answer.error.status], [14, "UNAVAILABLE"]);
      assert.match(answer.error.message, /^the connection to the backend .* was lost/);
    }
    const [meanwhile] = (await ask(socket, say, { text: "meanwhile" })) as [Failure];
    assert.equal(meanwhile.error.status, "UNAVAILABLE");
    assert.match(meanwhile.error.message, /^the backend .* cannot be reached/);
    await startEcho(context, echo.port);
    assert.deepEqual(await answered(socket, say, { text: "after" }), [{ text: "after" }]);
    assert.deepEqual([socket.connected, socket.id], [true, id]);
  });

  for (const streams of [0, 1]) {
    const how = streams === 0 ? "a call" : "a stream";
    test(`whose message it has, by ${how}: the answer is an error, and the next is taken when it is back`, async (context) => {
      const chat = await new ScriptedHandler({
        message: ({ type, payload }) =>
          type === "pay" ? new Promise(() => {}) : payload === undefined ? {} : { reply: payload },
      }).start();
      context.after(() => chat.kill());
      const { gateway, url } = await startSocketIoGateway({
        chat,
        sessions: { callbacks: { backend: "chat", hooks: ["connect", "message", "disconnect"], streams } },
      });
      context.after(() => gateway.close(0));
      const socket = await connected(context, url);
      const { id } = socket;
      assert.deepEqual(await ask(socket, "echo", "before"), ["before"]);
      const paid = ask(socket, "pay", 10);
      // It waits for the one before it, and is nobody's yet when the backend dies.
      const behind = ask(socket, "echo", "behind");
      while (chat.of("message").length < 2) await new Promise(setImmediate);
      await chat.kill();
      const message = "the backend is away; try again later";
      assert.deepEqual(await paid, [{ error: { code: 14, status: "UNAVAILABLE", message } }]);
      await chat.start();
      assert.deepEqual(await behind, ["behind"]);
      assert.deepEqual(await answered(socket, "echo", "after"), ["after"]);
      assert.deepEqual([socket.connected, socket.id], [true, id]);
      const told = chat.of("message").map(({ type }) => type);
      assert.deepEqual(
        told.filter((type) => type === "pay"),
        ["pay"],
      );
      assert.deepEqual(chat.of("disconnect"), []);
    });
  }

  test("which is to say whether to let it in: it is let in when that is back", async (context) => {
    let answers = false;
    const chat = await new ScriptedHandler({
      connect: () => (answers ? { identity: { user: "ada" } } : new Promise(() => {})),
      message: ({ session }) => ({ reply: { data: { case: "text", value: session?.user ?? "" } } }),
    }).start();
    context.after(() => chat.kill());
    const { gateway, url } = await startSocketIoGateway({
      chat,
      sessions: { callbacks: { backend: "chat", hooks: ["connect", "message", "disconnect"] } },
    });
    context.after(() => gateway.close(0));
    const connecting = connected(context, url);
    while (chat.of("connect").length === 0) await new Promise(setImmediate);
    await chat.kill();
    answers = true;
    await chat.start();
    const socket = await connecting;
    assert.deepEqual(await ask(socket, "who"), ["ada"]);
    assert.deepEqual(
      chat.of("connect").map(({ session }) => session?.id),
      [socket.id, socket.id],
    );
    assert.deepEqual(chat.of("disconnect"), []);
  });
});
