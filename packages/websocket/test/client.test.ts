import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { testCertificates } from "@sluice/testkit";
import { acceptWebSocket, connectWebSocket } from "../src/index.ts";
import { echo, Journal } from "./support/journal.ts";
import { listen, start } from "./support/server.ts";

/** Makes every socket to one place, whatever was asked for, as a proxy's agent does. */
class DetourAgent extends Agent {
  readonly asked: string[] = [];
  readonly #port: number;

  constructor(port: number) {
    super();
    this.#port = port;
  }

  override createConnection(options: { readonly host?: string; readonly port?: number | string }): Socket {
    this.asked.push(`${options.host}:${options.port}`);
    return connect(this.#port, "127.0.0.1");
  }
}

describe("a client", () => {
  test("sends the headers, the credentials and the path that it is given", async (context) => {
    const server = createServer();
    const upgrade = once(server, "upgrade") as Promise<[IncomingMessage, Socket, Buffer]>;
    const port = await start(context, server);
    const connecting = connectWebSocket(`ws://user:pass%20word@127.0.0.1:${port}/path?query=1`, {
      headers: { "X-Test": "yes", Origin: "http://page.example.com" },
      protocols: ["a", "b"],
    });
    const [request, socket, head] = await upgrade;
    acceptWebSocket(request, socket, head, { handlers: echo, origin: "any", protocols: ["b"] });
    const connection = await connecting;
    assert.equal(connection.protocol, "b");
    assert.equal(request.url, "/path?query=1");
    const { headers } = request;
    assert.equal(headers["x-test"], "yes");
    assert.equal(headers.origin, "http://page.example.com");
    assert.equal(headers["sec-websocket-protocol"], "a, b");
    assert.equal(headers.authorization, `Basic ${Buffer.from("user:pass word").toString("base64")}`);
    connection.terminate();
  });

  test("connects over TLS, and not to a server that it cannot trust", async (context) => {
    const { server: pair, ca } = testCertificates();
    const server = createSecureServer(pair);
    server.on("upgrade", (request, socket, head) =>
      acceptWebSocket(request, socket, head, { handlers: echo }),
    );
    const port = await start(context, server);
    const journal = new Journal();
    const url = `wss://localhost:${port}`;
    const connection = await connectWebSocket(url, { handlers: journal, tls: { ca } });
    const large = "x".repeat(200_000);
    for (const text of ["one", large, "three"]) connection.send(text);
    const entries = await journal.count(4);
    assert.deepEqual(
      entries.map((entry) => `${entry.length} ${entry.slice(0, 10)}`),
      ["5 drain", "8 text one", "200005 text xxxxx", "10 text three"],
    );
    connection.close();
    assert.deepEqual(await journal.end(), { code: 1000, reason: "", clean: true });
    await assert.rejects(connectWebSocket(url), { code: "connect_failed" });
  });

  test("takes its socket from an agent", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: echo });
    const agent = new DetourAgent(server.port);
    const connection = await connectWebSocket("ws://far.example.com:1234/", { agent, handlers: journal });
    assert.deepEqual(agent.asked, ["far.example.com:1234"]);
    connection.send("through");
    assert.deepEqual(await journal.count(1), ["text through"]);
    connection.close();
    await journal.end();
  });

  test("connects to an address of IPv6", async (context) => {
    const server = createServer();
    server.on("upgrade", (request, socket, head) =>
      acceptWebSocket(request, socket, head, { handlers: echo }),
    );
    server.listen(0, "::1");
    await once(server, "listening");
    context.after(() => server.close());
    const { port } = server.address() as { port: number };
    const connection = await connectWebSocket(`ws://[::1]:${port}/`);
    connection.terminate();
  });
});
