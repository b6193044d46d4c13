/**
 * The gateway that a team writes by hand: node:http before @grpc/grpc-js, with the messages of protobuf-es. One
 * channel, connections that stay open, and no more framework than that.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  create,
  fromBinary,
  fromJsonString,
  toBinary,
  toJsonString,
  type DescMessage,
  type Message,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { listen } from "./listen.ts";
import { loadShop, shopServiceOf } from "./shop-service.ts";

interface Method {
  readonly path: string;
  readonly input: DescMessage;
  readonly output: DescMessage;
  readonly serialize: (message: Message) => Buffer;
  readonly deserialize: (bytes: Buffer) => Message;
}

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL, match: RegExpExecArray) => void;

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handle: Handler;
}

/** Starts the gateway. Resolves to its port. */
export function startGrpcJs(backend: string, descriptors: string): Promise<number> {
  const routes = createRoutes(new Client(backend, credentials.createInsecure()), descriptors);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    for (const { method, pattern, handle } of routes) {
      const match = method === request.method ? pattern.exec(url.pathname) : null;
      if (match !== null) {
        handle(request, response, url, match);
        return;
      }
    }
    response.writeHead(404).end();
  });
  return listen(server);
}

function createRoutes(client: Client, descriptors: string): readonly Route[] {
  const service = shopServiceOf(loadShop(descriptors));

  const methodOf = (name: string): Method => {
    const desc = service.methods.find((each) => each.name === name);
    if (desc === undefined) throw new Error(`there is no method ${name}`);
    const { input, output } = desc;
    return {
      path: `/${service.typeName}/${name}`,
      input,
      output,
      serialize: (message) => Buffer.from(toBinary(input, message)),
      deserialize: (bytes) => fromBinary(output, bytes),
    };
  };

  const callUnary = (
    request: IncomingMessage,
    response: ServerResponse,
    method: Method,
    message: Message,
  ): void => {
    const { path, output, serialize, deserialize } = method;
    client.makeUnaryRequest(path, serialize, deserialize, message, metadataOf(request), (error, reply) => {
      if (error !== null) refuse(response, error);
      else sendJson(response, 200, toJsonString(output, reply as Message));
    });
  };

  const get =
    (method: Method, read: (query: URLSearchParams, value: string) => Record<string, unknown>): Handler =>
    (request, response, url, match) => {
      const fields = read(url.searchParams, decodeURIComponent(match[1] ?? ""));
      callUnary(request, response, method, create(method.input, fields));
    };

  const post =
    (method: Method): Handler =>
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        let message: Message;
        try {
          message = fromJsonString(method.input, Buffer.concat(chunks).toString("utf8"), {
            ignoreUnknownFields: true,
          });
        } catch (error) {
          sendJson(response, 400, JSON.stringify({ code: status.INVALID_ARGUMENT, message: String(error) }));
          return;
        }
        callUnary(request, response, method, message);
      });
    };

  const watch =
    (method: Method): Handler =>
    (request, response, url) => {
      const message = create(method.input, { count: Number(url.searchParams.get("count")) });
      const { path, output, serialize, deserialize } = method;
      const call = client.makeServerStreamRequest(path, serialize, deserialize, message, metadataOf(request));
      call.on("data", (reply: Message) => {
        if (!response.headersSent) response.writeHead(200, { "content-type": "application/x-ndjson" });
        if (!response.write(`{"result":${toJsonString(output, reply)}}\n`)) call.pause();
      });
      call.on("error", (error: ServiceError) => {
        if (!response.headersSent) refuse(response, error);
        else response.end(`{"error":${JSON.stringify({ code: error.code, message: error.details })}}\n`);
      });
      call.on("end", () => response.end());
      response.on("drain", () => call.resume());
      response.on("close", () => call.cancel());
    };

  return [
    {
      method: "GET",
      pattern: /^\/v1\/customers\/([^/]+)\/address$/,
      handle: get(methodOf("GetAddress"), (query, customer) => ({
        customer,
        country: query.get("country") ?? "",
        verified: query.get("verified") === "true",
      })),
    },
    { method: "POST", pattern: /^\/v1\/addresses:check$/, handle: post(methodOf("CheckAddress")) },
    { method: "GET", pattern: /^\/v1\/prices:watch$/, handle: watch(methodOf("WatchPrices")) },
    { method: "GET", pattern: /^\/v1\/orders:watch$/, handle: watch(methodOf("WatchOrders")) },
    { method: "POST", pattern: /^\/v1\/orders$/, handle: post(methodOf("CreateOrder")) },
    {
      method: "GET",
      pattern: /^\/v1\/orders\/([^/]+)$/,
      handle: get(methodOf("GetOrder"), (query, id) => ({
        id: BigInt(id),
        note: query.get("note") ?? "",
        scores: query.getAll("scores").map(Number),
      })),
    },
  ];
}

function metadataOf(request: IncomingMessage): Metadata {
  const metadata = new Metadata();
  const { authorization } = request.headers;
  if (authorization !== undefined) metadata.set("authorization", authorization);
  return metadata;
}

function sendJson(response: ServerResponse, httpStatus: number, json: string): void {
  response.writeHead(httpStatus, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(json),
  });
  response.end(json);
}

function refuse(response: ServerResponse, error: ServiceError): void {
  sendJson(response, 502, JSON.stringify({ code: error.code, message: error.details }));
}
