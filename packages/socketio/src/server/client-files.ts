import { readFile } from "node:fs/promises";
import type { IncomingMessage, RequestListener, Server as HttpServer, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { AttachableServer } from "../engine/attach.ts";
import { type CorsOptions, type CorsOptionsDelegate, createCors } from "../engine/http/cors.ts";
import type { Middleware } from "../engine/http/middleware.ts";
import { acceptedCoding } from "../engine/polling/accepted-coding.ts";
import { runInTurn } from "../run-in-turn.ts";

/** The files of the client for browsers, and their maps. */
const fileName = /^socket\.io(?:\.msgpack|\.esm)?(?:\.min)?\.js(?:\.map)?$/;

const notFound =
  "There is no such file in the package socket.io-client, or it is not installed: npm i socket.io-client\n";

/** A file, as it is and compressed. */
interface ClientFile {
  readonly version: string;
  readonly content: Buffer;
  readonly compressed: Buffer;
}

/** What was read, by the name of the file. */
const files = new Map<string, Promise<ClientFile | undefined>>();

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
  const others = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const name = nameIn(request.url ?? "", path);
    if (name === undefined) for (const other of others) other.call(server, request, response as never);
    else {
      runInTurn(
        before,
        (middleware, next) => middleware(request, response, next),
        (error) => {
          if (error === undefined) void serve(name, request, response);
          else response.writeHead(400).end();
        },
      );
    }
  });
}

function nameIn(url: string, path: string): string | undefined {
  if (!url.startsWith(`${path}/`)) return undefined;
  const [name = ""] = url.slice(path.length + 1).split("?", 1);
  return fileName.test(name) ? name : undefined;
}

async function serve(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let file = files.get(name);
  if (file === undefined) {
    file = readClientFile(name);
    files.set(name, file);
  }
  const found = await file;
  if (found === undefined) {
    // It may be installed yet.
    files.delete(name);
    response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end(notFound);
    return;
  }
  const tag = `"${found.version}"`;
  response.setHeader("Cache-Control", "public, max-age=0");
  response.setHeader("ETag", tag);
  response.setHeader("Vary", "Accept-Encoding");
  const known = request.headers["if-none-match"];
  if (known === tag || known === `W/${tag}`) {
    response.writeHead(304).end();
    return;
  }
  const isCompressed = acceptedCoding(request.headers["accept-encoding"]) === "gzip";
  if (isCompressed) response.setHeader("Content-Encoding", "gzip");
  const type = name.endsWith(".map")
    ? "application/json; charset=utf-8"
    : "application/javascript; charset=utf-8";
  const body = isCompressed ? found.compressed : found.content;
  response.writeHead(200, { "Content-Type": type, "Content-Length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function readClientFile(name: string): Promise<ClientFile | undefined> {
  try {
    const description = findPackage();
    const { version } = JSON.parse(await readFile(description, "utf8")) as { version: string };
    const content = await readFile(join(dirname(description), "dist", name));
    return { version, content, compressed: await promisify(gzip)(content) };
  } catch {
    return undefined;
  }
}

/** The package beside this one, or the application's. */
function findPackage(): string {
  const wanted = "socket.io-client/package.json";
  try {
    return createRequire(import.meta.url).resolve(wanted);
  } catch {
    return createRequire(join(process.cwd(), "package.json")).resolve(wanted);
  }
}
