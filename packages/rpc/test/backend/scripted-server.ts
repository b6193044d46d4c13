import { once } from "node:events";
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { frameMessages } from "../../src/wire/length-prefixed-message.ts";

/** What a scripted server does with a stream. */
export type Script = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** An HTTP/2 server that does to a stream what a test says. */
export interface ScriptedServer {
  readonly address: string;
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  /** All streams since the start. */
  readonly streams: readonly ServerHttp2Stream[];
  /** Resolves when `condition` holds, which is asked whenever a session or stream comes or goes. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export interface ScriptedServerOptions {
  readonly port?: number;
  readonly settings?: Settings;
  readonly tls?: SecureServerOptions;
}

/** Starts a scripted server on 127.0.0.1. */
export async function startScriptedServer(
  script: Script,
  { port = 0, settings = {}, tls }: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
  const server: Http2Server =
    tls === undefined ? createServer({ settings }) : createSecureServer({ settings, ...tls });
  const sessions = new Set<ServerHttp2Session>();
  const streams: ServerHttp2Stream[] = [];
  const waiting = new Set<() => void>();
  const changed = (): void => {
    for (const check of waiting) check();
  };
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.on("close", () => {
      sessions.delete(session);
      changed();
    });
    changed();
  });
  server.on("stream", (stream, headers) => {
    streams.push(stream);
    stream.on("error", () => {});
    stream.on("close", changed);
    script(stream, headers);
    changed();
  });
  server.on("sessionError", () => {});
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    streams,
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

export const grpcHeaders: Readonly<Record<string, string | number>> = {
  ":status": 200,
  "content-type": "application/grpc",
};

/** Messages as they stand in a body. */
export function framed(...messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(frameMessages(messages));
}

/** Answers with headers, a body and trailers. */
export function answer(
  stream: ServerHttp2Stream,
  body: Uint8Array,
  trailers: Record<string, string> = { "grpc-status": "0" },
  headers: Readonly<Record<string, string | number>> = grpcHeaders,
): void {
  stream.respond({ ...headers }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(body);
}
