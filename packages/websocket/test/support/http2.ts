import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { type AcceptOptions, acceptHttp2WebSocket, type WebSocketConnection } from "../../src/index.ts";

/** Lets an HTTP/2 server listen on a free port of this machine until the test ends. */
export async function startHttp2(
  context: TestContext,
  server: Http2Server | Http2SecureServer,
): Promise<number> {
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** A server of the engine over HTTP/2 without TLS. */
export async function listenHttp2(
  context: TestContext,
  options: AcceptOptions,
): Promise<{ readonly url: string; readonly connections: WebSocketConnection[] }> {
  const connections: WebSocketConnection[] = [];
  const server = createServer({ settings: { enableConnectProtocol: true } });
  server.on("stream", (stream, headers) => {
    const connection = acceptHttp2WebSocket(stream, headers, options);
    if (connection !== undefined) connections.push(connection);
  });
  return { url: `http://127.0.0.1:${await startHttp2(context, server)}`, connections };
}

/** A session with a server, which has told its settings. */
export async function sessionTo(
  context: TestContext,
  url: string,
  options: SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(url, options);
  context.after(() => session.destroy());
  await once(session, "remoteSettings");
  return session;
}

/** Opens a WebSocket by hand. */
export function openingStream(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
): ClientHttp2Stream {
  return session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": "/",
    "sec-websocket-version": "13",
    ...headers,
  });
}

/** What a request is answered: its status, its fields and its text. */
export async function answerOf(
  stream: ClientHttp2Stream,
): Promise<{ readonly status: number; readonly headers: Record<string, unknown>; readonly text: string }> {
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  stream.end();
  let text = "";
  for await (const part of stream as AsyncIterable<Buffer>) text += part.toString();
  return { status: headers[":status"] as number, headers, text };
}
