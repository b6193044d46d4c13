import type { IncomingMessage, RequestListener, Server as HttpServer, ServerResponse } from "node:http";
import type { AttachableServer } from "../engine/attach.ts";
import { acceptedCoding } from "../engine/http/accepted-coding.ts";
import { type CorsOptions, type CorsOptionsDelegate, createCors } from "../engine/http/cors.ts";
import type { Middleware } from "../engine/http/middleware.ts";
import { runInTurn } from "../run-in-turn.ts";
import { type ClientFile, isClientFile, readClientFile } from "./client-file.ts";

const codings = ["br", "gzip"] as const;

const notInstalled =
  "The client is served from the package socket.io-client, which is not installed: npm i socket.io-client\n";

/**
 * Answers requests for the browser's client below a path, before all listeners that the server has so far. Pages of other
 * origins may have it where `cors` allows them.
 */
export function serveClientFiles(
  attached: AttachableServer,
  path: string,
  cors: CorsOptions | CorsOptionsDelegate | undefined,
): void {
  // Requests of http2 are made to look like those of http.
  const server = attached as HttpServer;
  const before: Middleware[] = cors === undefined ? [] : [createCors(cors)];
  const listeners = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const others = (): void => {
      for (const listener of listeners) listener.call(server, request, response as never);
    };
    const name = nameIn(request.url ?? "", path);
    if (name === undefined) {
      others();
      return;
    }
    readClientFile(name).then(
      (file) => {
        if (file === undefined) return others();
        runInTurn(
          before,
          (middleware, next) => middleware(request, response, next),
          (error) => {
            if (error === undefined) answer(name, file, request, response);
            else response.writeHead(400).end();
          },
        );
      },
      () => response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end(notInstalled),
    );
  });
}

function nameIn(url: string, path: string): string | undefined {
  if (!url.startsWith(`${path}/`)) return undefined;
  const [name = ""] = url.slice(path.length + 1).split("?", 1);
  return isClientFile(name) ? name : undefined;
}

function answer(name: string, file: ClientFile, request: IncomingMessage, response: ServerResponse): void {
  const tag = `"${file.version}"`;
  response.setHeader("Cache-Control", "public, max-age=0");
  response.setHeader("ETag", tag);
  response.appendHeader("Vary", "Accept-Encoding");
  const known = request.headers["if-none-match"];
  if (known === tag || known === `W/${tag}`) {
    response.writeHead(304).end();
    return;
  }
  const coding = acceptedCoding(request.headers["accept-encoding"], codings);
  if (coding !== undefined) response.setHeader("Content-Encoding", coding);
  const type = name.endsWith(".map") ? "application/json" : "application/javascript";
  const body = file[coding ?? "identity"];
  response.writeHead(200, { "Content-Type": `${type}; charset=utf-8`, "Content-Length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}
