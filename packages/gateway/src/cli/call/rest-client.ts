import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { Code, codeFromHttpStatus } from "@sluice/protocol";
import {
  createStatus,
  httpCallOf,
  JsonSplitter,
  needsMessage,
  noMetadata,
  okStatus,
  parseJson,
  RpcError,
  streamTargetOf,
  type HttpCall,
  type JsonObject,
  type Metadata,
  type Status,
} from "@sluice/rpc";
import type {
  CallClient,
  CallClientOptions,
  ClientCall,
  ClientCallListener,
  ClientCallStart,
} from "./call-client.ts";
import type { ClientTls } from "../tls-flags.ts";
import { objectFrom, restHeaders } from "./rest-request.ts";

const maxMessageBytes = 64 * 1024 * 1024;

interface Item {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** REST with JSON over HTTP/1.1, streams as NDJSON. */
export class RestClient implements CallClient {
  readonly #url: URL;
  readonly #tls: ClientTls | undefined;

  constructor({ url, tls }: CallClientOptions) {
    this.#url = url;
    this.#tls = tls;
  }

  open(start: ClientCallStart, listener: ClientCallListener): ClientCall {
    const { kind } = start.method;
    const isClientStream = kind === "client_streaming" || kind === "bidi_streaming";
    let request: ClientRequest | undefined;
    let answered = false;
    const fail = (status: Status): void => {
      request?.destroy();
      listener.end(status, noMetadata);
    };
    const begin = (call: HttpCall): ClientRequest => {
      request = this.#request(call, start);
      request.on("response", (response) => {
        answered = true;
        readResponse(response, start, listener);
      });
      request.on("error", (error) => {
        // After the response has begun, its own end tells what there is to tell.
        if (!answered) fail(createStatus(Code.UNAVAILABLE, error.message));
      });
      return request;
    };
    if (isClientStream) {
      let streaming: ClientRequest | undefined;
      const open = (first: JsonObject): ClientRequest => {
        const opened = begin({ ...streamTargetOf(start.method, first), body: "" });
        opened.flushHeaders();
        return opened;
      };
      // Without variables in its path the server may speak first.
      if (!needsMessage(start.method)) streaming = open({});
      return {
        send: (json) => (streaming ??= open(objectFrom(json))).write(`${json}\n`),
        halfClose: () => (streaming ??= open({})).end(),
        cancel: () => streaming?.destroy(),
      };
    }
    let message: JsonObject = {};
    return {
      send: (json) => (message = objectFrom(json)),
      halfClose: () => {
        try {
          const call = httpCallOf(start.method, message);
          begin(call).end(call.body);
        } catch (error) {
          if (!(error instanceof RpcError)) throw error;
          fail(createStatus(Code.INVALID_ARGUMENT, error.message));
        }
      },
      cancel: () => request?.destroy(),
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #request({ method, target, body }: HttpCall, start: ClientCallStart): ClientRequest {
    const headers: Record<string, string | string[]> = {
      accept: "application/x-ndjson",
      te: "trailers",
      connection: "close",
      ...restHeaders(start),
    };
    if (body !== undefined) headers["content-type"] = "application/json";
    const make = this.#url.protocol === "https:" ? httpsRequest : httpRequest;
    return make(new URL(target, this.#url), {
      method,
      headers,
      ...this.#tls,
    });
  }
}

function readResponse(
  response: IncomingMessage,
  { method }: ClientCallStart,
  listener: ClientCallListener,
): void {
  listener.headers(withPrefix(response.headers, "grpc-metadata-"));
  const isStream = method.kind === "server_streaming" || method.kind === "bidi_streaming";
  const foreignCode = codeFromHttpStatus(response.statusCode ?? 0);
  let failure: Status | undefined;
  const splitter = new JsonSplitter(maxMessageBytes, (text) => {
    const item = itemFrom(text);
    const isOk = response.statusCode === 200;
    if (item === undefined)
      failure ??= createStatus(
        foreignCode,
        `HTTP ${response.statusCode}, and no JSON: ${text.slice(0, 200)}`,
      );
    else if (isStream && item.error !== undefined)
      failure = { code: item.error.code, message: item.error.message };
    else if (!isOk) failure = { code: item.code ?? Code.UNKNOWN, message: item.message ?? text };
    else listener.message(isStream ? JSON.stringify(item.result) : text);
  });
  response.on("data", (chunk: Buffer) => splitter.push(chunk));
  response.on("end", () => {
    const foreign =
      response.statusCode === 200 ? okStatus : createStatus(foreignCode, `HTTP ${response.statusCode}`);
    listener.end(failure ?? foreign, withPrefix(response.trailers, "grpc-trailer-"));
  });
  response.on("error", (error) => listener.end(createStatus(Code.UNAVAILABLE, error.message), noMetadata));
}

/** An item of a stream, a reply or an error; undefined for what is no JSON, because some other server answers. */
function itemFrom(text: string): (Item & { code?: number; message?: string }) | undefined {
  try {
    const value = parseJson(text);
    // A reply may be a JSON string or list, which has nothing of this.
    return typeof value === "object" && value !== null ? (value as unknown as Item) : {};
  } catch (error) {
    if (error instanceof RpcError) return undefined;
    throw error;
  }
}

function withPrefix(headers: NodeJS.Dict<string | string[]>, prefix: string): Metadata {
  const metadata: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && name.startsWith(prefix)) metadata[name.slice(prefix.length)] = value;
  }
  return metadata;
}
