import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import {
  type Closed,
  connectWebSocket,
  type ConnectOptions,
  type WebSocketConnection,
} from "@sluice/websocket";
import {
  type CloseReason,
  type EngineOptions,
  EngineServer,
  type EngineSession,
  type SessionHandlers,
} from "../../src/index.ts";
import { Inbox } from "./inbox.ts";

/** How a session ended. */
export interface Ended {
  readonly session: EngineSession;
  readonly reason: CloseReason;
  readonly cause: Error | undefined;
}

/** An engine on a port, and what happened to its sessions. */
export interface RunningEngine {
  readonly engine: EngineServer;
  readonly http: Server;
  readonly port: number;
  readonly url: string;
  /** Sessions that began. */
  readonly opened: Inbox<EngineSession>;
  /** Sessions that ended. */
  readonly ended: Inbox<Ended>;
}

/** Starts an engine that echoes messages, unless other handlers are given. It ends with the test. */
export async function startEngine(
  context: TestContext,
  options: EngineOptions = {},
  handlers: SessionHandlers = {},
  others?: RequestListener,
): Promise<RunningEngine> {
  const opened = new Inbox<EngineSession>();
  const ended = new Inbox<Ended>();
  const engine = new EngineServer(
    { allowEIO3: true, ...options },
    {
      message: (session, data) => void session.send(data),
      ...handlers,
      open: (session, request) => {
        handlers.open?.(session, request);
        opened.add(session);
      },
      close: (session, reason, cause) => {
        handlers.close?.(session, reason, cause);
        ended.add({ session, reason, cause });
      },
    },
  );
  const http = createServer(others);
  engine.attach(http, { destroyUpgradeTimeout: 10 });
  await once(http.listen(0, "127.0.0.1"), "listening");
  context.after(() => {
    http.close();
    http.closeAllConnections();
    engine.close();
  });
  const { port } = http.address() as AddressInfo;
  return { engine, http, port, url: `http://127.0.0.1:${port}/engine.io/`, opened, ended };
}

/** A client by polling, of either revision, which does only what it is told. */
export class PollingClient {
  readonly #url: string;
  readonly #query: string;
  sid = "";

  constructor(url: string, query = "EIO=4") {
    this.#url = url;
    this.#query = query;
  }

  /** Begins a session, and answers what the server says of it. */
  async open(): Promise<Record<string, unknown>> {
    const text = await (await this.get()).text();
    const found = /\{.*\}/s.exec(text.replaceAll(String.raw`\"`, '"'));
    assert.ok(found, text);
    const said = JSON.parse(found[0]) as Record<string, unknown>;
    this.sid = String(said.sid);
    return said;
  }

  get(init: RequestInit = {}): Promise<Response> {
    return fetch(this.target(), init);
  }

  /** Polls, and answers the payload. */
  async poll(): Promise<string> {
    const response = await this.get();
    assert.equal(response.status, 200);
    return await response.text();
  }

  post(body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
    const sent = typeof body === "string" ? body : new Uint8Array(body);
    return fetch(this.target(), { method: "POST", body: sent, headers });
  }

  target(transport = "polling"): string {
    const sid = this.sid === "" ? "" : `&sid=${this.sid}`;
    return `${this.#url}?${this.#query}&transport=${transport}${sid}`;
  }
}

/** Starts an engine that echoes, unless other handlers are given, and one session on it by polling. */
export async function startPolling(
  context: TestContext,
  options?: EngineOptions,
  handlers?: SessionHandlers,
): Promise<RunningEngine & { readonly client: PollingClient; readonly session: EngineSession }> {
  const running = await startEngine(context, options, handlers);
  const client = new PollingClient(running.url);
  await client.open();
  return { ...running, client, session: await running.opened.next() };
}

/** A client on a WebSocket that does only what it is told. */
export interface WebSocketClient {
  readonly connection: WebSocketConnection;
  readonly messages: Inbox<string | Buffer>;
  readonly closed: Inbox<Closed>;
}

/** Connects a client of a WebSocket to the URL of a request by HTTP. */
export async function connectClient(
  url: string,
  options: Pick<ConnectOptions, "headers" | "compression" | "tls"> = {},
): Promise<WebSocketClient> {
  const messages = new Inbox<string | Buffer>();
  const closed = new Inbox<Closed>();
  const connection = await connectWebSocket(url.replace("http", "ws"), {
    ...options,
    handlers: {
      message: (_connection, data, isBinary) => messages.add(isBinary ? data : data.toString()),
      close: (_connection, end) => closed.add(end),
    },
  });
  return { connection, messages, closed };
}

/** Waits until a poll of the session's client waits. */
export async function polled(session: EngineSession): Promise<void> {
  while (!session.writable) await new Promise(setImmediate);
}
