import { once } from "node:events";
import { compileProtos, createHttp2Backend, type Schema } from "@sluice/rpc";
import { startEchoServer, type EchoServer, type EchoServerOptions } from "@sluice/testkit";
import { WebSocket } from "ws";
import { createLogger, Gateway, type GatewayOptions, type UpstreamOptions } from "../src/index.ts";

/** A gateway in this process before a real echo server. */
export interface TestGateway {
  readonly http: string;
  readonly ws: string;
  readonly port: number;
  readonly echo: EchoServer;
  readonly gateway: Gateway;
  close(): Promise<void>;
}

/** Starts both. */
export async function startTestGateway(
  options: Partial<GatewayOptions & Pick<UpstreamOptions, "loadSchema">> & {
    readonly echo?: EchoServerOptions;
  } = {},
): Promise<TestGateway> {
  const echo = await startEchoServer(options.echo);
  const loadSchema = (): Promise<Schema> => echoSchema(echo);
  const upstream = { name: echo.address, backend: createHttp2Backend(echo.address), loadSchema };
  const gateway = new Gateway({
    upstreams: [
      options.loadSchema === undefined ? upstream : { ...upstream, loadSchema: options.loadSchema },
    ],
    log: createLogger("silent"),
    ...options,
  });
  const close = async (): Promise<void> => {
    await gateway.close(0);
    await echo.close();
  };
  const { port } = await gateway.start("127.0.0.1", 0);
  return { http: `http://127.0.0.1:${port}`, ws: `ws://127.0.0.1:${port}`, port, echo, gateway, close };
}

/** What a WebSocket of the npm client `ws` did until its end. */
export interface Conversation {
  readonly messages: readonly unknown[];
  readonly code: number;
  readonly reason: string;
}

/** Opens a WebSocket, sends texts in order, and resolves with everything when it has closed. */
export async function converse(
  url: string,
  texts: readonly (string | Buffer)[],
  options: { readonly protocols?: readonly string[]; readonly headers?: Record<string, string> } = {},
): Promise<Conversation> {
  const socket = new WebSocket(url, [...(options.protocols ?? [])], { headers: options.headers ?? {} });
  const messages: unknown[] = [];
  socket.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString())));
  socket.on("open", () => {
    for (const text of texts) socket.send(text);
  });
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return { messages, code, reason: reason.toString() };
}

/** Sends a JSON body and gives what came back. */
export async function send(
  url: string,
  method = "GET",
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; json: unknown; text: string }> {
  const init: RequestInit = { method, headers };
  if (body !== undefined) {
    init.body = typeof body === "string" ? body : JSON.stringify(body);
    init.headers = { "content-type": "application/json", ...headers };
  }
  const response = await fetch(url, init);
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, json, text };
}

/** The schema of the echo server, of which clients are made. */
export function echoSchema(echo: EchoServer): Promise<Schema> {
  return compileProtos([echo.protoPath], { importPaths: echo.importPaths });
}
