import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Namespace, Server, ServerOptions } from "../../src/index.ts";
import { Inbox } from "./inbox.ts";
import { IoServer } from "./io-server.ts";
import { WireClient } from "./wire-client.ts";

/** How a socket ended. */
export interface EndedSocket {
  readonly namespace: string;
  readonly reason: string;
  readonly description: unknown;
}

/** A server whose wire is looked at. */
export interface WireServer {
  readonly io: Server;
  readonly port: number;
  readonly url: string;
  /** Sockets that ended. */
  readonly ended: Inbox<EndedSocket>;
}

type Answer = (...args: unknown[]) => void;

/**
 * Starts a server with the namespaces `/`, `/custom`, `/denied`, `/refused` and `/dyn-<digits>`. It says what it was told as
 * `auth`, emits `echo` back, answers `ask`, and asks on `ask me`. It ends with the test.
 */
export async function startWireServer(
  context: TestContext,
  options: Partial<ServerOptions> = {},
): Promise<WireServer> {
  const server = await IoServer.start({ allowEIO3: true, ...options });
  context.after(() => server.close());
  const { io, port } = server;
  const ended = new Inbox<EndedSocket>();
  const serve = (namespace: Namespace): void => {
    namespace.on("connection", (socket) => {
      const { auth } = socket.handshake;
      if (Object.keys(auth).length > 0) socket.emit("auth", auth);
      socket.on("echo", (...args: unknown[]) => socket.emit("echo", ...args));
      socket.on("1", (...args: unknown[]) => socket.emit("one", ...args));
      socket.on("ask", (...args: unknown[]) => (args.pop() as Answer)(...args));
      socket.on("ask me", (...args: unknown[]) => {
        socket.emit("question", ...args, (...answers: unknown[]) => socket.emit("answered", ...answers));
      });
      socket.on("disconnect", (reason, description) => {
        ended.add({ namespace: socket.nsp.name, reason, description });
      });
    });
  };
  serve(io.of("/"));
  serve(io.of("/custom"));
  io.of("/denied").use((_socket, proceed) => {
    proceed(Object.assign(new Error("not allowed"), { data: { code: 7 } }));
  });
  io.of("/refused").use((_socket, proceed) => proceed(new Error("no")));
  serve(io.of(/^\/dyn-\d+$/));
  return { io, port, url: `http://127.0.0.1:${port}/socket.io/`, ended };
}

/** What one side says: `>` the client, `<` the server. An asterisk in what the server says is an id. */
export type Line = `${">" | "<"} ${string}`;

/** Has a client on a WebSocket say its lines, and expects the server's. `binary` begins bytes in hexadecimal digits. */
export async function converse(client: WireClient, lines: readonly Line[]): Promise<void> {
  for (const line of lines) {
    const said = line.slice(2);
    const bytes = /^binary ?([0-9a-f ]*)$/.exec(said)?.[1];
    if (line.startsWith(">"))
      client.send(bytes === undefined ? said : Buffer.from(bytes.replaceAll(" ", ""), "hex"));
    else {
      const answer = await client.next();
      const shown =
        typeof answer === "string"
          ? answer
          : `binary ${answer.toString("hex").replaceAll(/..(?=.)/g, "$& ")}`;
      assert.match(shown.trim(), patternOf(said));
    }
  }
}

/** Connects a client that has joined `/`, whichever its revision. */
export async function joinRoot(context: TestContext, port: number, revision: 3 | 4): Promise<WireClient> {
  const client = await WireClient.connect(context, port, revision);
  await converse(client, revision === 3 ? ["< 40"] : ["> 40", '< 40{"sid":"*"}']);
  return client;
}

/** The text, with ids for asterisks. */
export function patternOf(said: string): RegExp {
  const parts = said.split("*").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join("[\\w-]{20}")}$`);
}
