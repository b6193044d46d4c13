import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import { acceptInto, createSseHandler } from "@sluice/hub";
import { WebSocket } from "ws";
import { Refusal, type Script } from "./scripted-handler.ts";
import { identityByCallback } from "../../src/session-host/client-identity.ts";
import { setScene, type Scene } from "./support.ts";

/** Opens a WebSocket, says things, and resolves with so many messages that came. */
async function converse(
  url: string,
  protocols: readonly string[],
  said: readonly (string | Buffer)[],
  count: number,
): Promise<string[]> {
  const socket = new WebSocket(url, [...protocols]);
  const messages: string[] = [];
  const all = new Promise<void>((resolve, reject) => {
    socket.on("message", (data: Buffer, isBinary) => {
      messages.push(isBinary ? data.toString("hex") : data.toString());
      if (messages.length === count) resolve();
    });
    socket.on("close", (code, reason) => reject(new Error(`closed with ${code} ${reason.toString()}`)));
  });
  await once(socket, "open");
  for (const each of said) socket.send(each);
  await all;
  socket.removeAllListeners("close");
  socket.terminate();
  return messages;
}

const script: Script = {
  connect: ({ token }) => ({
    identity: { user: token },
    effects: [
      { effect: { case: "send", value: { payload: { data: { case: "text", value: `hello ${token}` } } } } },
    ],
  }),
  message: ({ payload }) => {
    if (payload?.data.value === "no") throw new Refusal(Code.PERMISSION_DENIED, "not you");
    return payload === undefined ? {} : { reply: payload };
  },
};

async function serve(context: TestContext): Promise<Scene & { readonly host: string }> {
  const scene = await setScene(context, { script });
  const events = createSseHandler(scene.hub);
  const { identify } = identityByCallback(scene.callbacks);
  const server = createServer((request, response) => events(request, response));
  server
    .on("upgrade", acceptInto(scene.hub, identify === undefined ? {} : { identify }))
    .listen(0, "127.0.0.1");
  context.after(() => server.close());
  await once(server, "listening");
  return { ...scene, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("what a backend answers", () => {
  test("is told on the session wire, where the token comes in the first message", async (context) => {
    const { host } = await serve(context);
    const said = [
      '{"connect":{"token":"ada"}}',
      '{"send":{"a":1},"id":1}',
      '{"send":"no","id":2}',
      '{"send":"no"}',
    ];
    const [connected = "", ...others] = await converse(`ws://${host}/ws`, ["sluice.session.v1"], said, 5);
    assert.ok("connected" in JSON.parse(connected));
    assert.deepEqual(
      others.map((each) => JSON.parse(each) as unknown),
      [
        { message: "hello ada" },
        { id: 1, ok: { data: { a: 1 } } },
        { id: 2, error: { code: "PERMISSION_DENIED", message: "not you" } },
        { error: { code: "PERMISSION_DENIED", message: "not you" } },
      ],
    );
  });

  test("is not undone by a token that a client names later", async (context) => {
    const { host, hub } = await serve(context);
    const said = ['{"connect":{"token":"ada"}}', '{"refresh":"eve","id":1}'];
    const messages = await converse(`ws://${host}/ws`, ["sluice.session.v1"], said, 3);
    const message = "the backend decides who a client is: connect again with the token";
    assert.deepEqual(JSON.parse(messages[2] ?? ""), { id: 1, error: { code: "UNAUTHENTICATED", message } });
    assert.deepEqual(
      [...hub.sessions].map(({ user }) => user),
      ["ada"],
    );
  });

  test("is told on the raw wire", async (context) => {
    const { host } = await serve(context);
    const messages = await converse(`ws://${host}/ws`, [], ["yes", Buffer.of(1, 2), "no"], 4);
    assert.deepEqual(messages, [
      "hello ",
      "yes",
      "0102",
      '{"error":{"code":"PERMISSION_DENIED","message":"not you"}}',
    ]);
  });

  test("is told to who posts beside an event stream", async (context) => {
    const { host } = await serve(context);
    const url = `http://${host}/events?resume=${"k".repeat(22)}`;
    const stream = await fetch(url, { headers: { accept: "text/event-stream" } });
    const post = async (body: string) => {
      const response = await fetch(url, { method: "POST", headers: { "content-type": "text/plain" }, body });
      return [response.status, await response.text()];
    };
    assert.deepEqual(await post("yes"), [200, "yes"]);
    const [status, text] = await post("no");
    const error = { code: "PERMISSION_DENIED", message: "not you" };
    assert.deepEqual([status, JSON.parse(String(text))], [403, { error }]);
    await stream.body?.cancel();
  });
});
