import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Hub } from "@sluice/hub";
import { Server, type ServerOptions } from "../../../src/index.ts";
import { serverMsgpack } from "../stock-clients.ts";

const profiles = {
  plain: {},
  compressing: { perMessageDeflate: { threshold: 100 }, httpCompression: { threshold: 100 } },
  recovering: { connectionStateRecovery: {} },
} satisfies Record<string, Partial<ServerOptions>>;

const parsers = { default: {}, msgpack: { parser: serverMsgpack } } satisfies Record<
  string,
  Partial<ServerOptions>
>;

/** The name of a server's settings. */
export type Profile = keyof typeof profiles;

/** The name of a parser. */
export type ParserName = keyof typeof parsers;

/** All names of parsers. */
export const parserNames = Object.keys(parsers) as ParserName[];

/** Which server a client is connected to. */
export interface ServerKind {
  readonly parser: ParserName;
  readonly profile: Profile;
  /** Whether its sockets are sessions of a hub. */
  readonly isOfHub: boolean;
}

interface RunningServer {
  readonly io: Server;
  readonly url: string;
}

/** The servers of the matrix, one of each kind. */
export class MatrixServers {
  readonly #servers = new Map<string, RunningServer>();

  /** Starts them. */
  async start(): Promise<void> {
    for (const isOfHub of [false, true]) {
      for (const parser of parserNames) {
        for (const profile of Object.keys(profiles) as Profile[]) {
          const kind = { parser, profile, isOfHub };
          this.#servers.set(JSON.stringify(kind), await startServer(kind));
        }
      }
    }
  }

  get({ parser, profile, isOfHub }: ServerKind): RunningServer {
    const kind = JSON.stringify({ parser, profile, isOfHub });
    const server = this.#servers.get(kind);
    if (server === undefined) throw new Error(`there is no server ${kind}`);
    return server;
  }

  /** Ends them and all that is connected. */
  async close(): Promise<void> {
    await Promise.all([...this.#servers.values()].map(({ io }) => io.close()));
  }
}

async function startServer({ parser, profile, isOfHub }: ServerKind): Promise<RunningServer> {
  const http = createServer();
  const io = new Server(http, {
    allowEIO3: true,
    pingInterval: 200,
    pingTimeout: 10_000,
    ...parsers[parser],
    ...profiles[profile],
    ...(isOfHub ? { hub: new Hub() } : {}),
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  // Created where a client asks for it.
  io.of(/^\/pattern-\d+$/);
  io.of((name, auth, decide) => decide(null, name.startsWith("/asked-") && auth.may === "yes"));
  const { port } = http.address() as AddressInfo;
  return { io, url: `http://127.0.0.1:${port}` };
}
