import { Code } from "@sluice/protocol";
import {
  createStatus,
  httpCallOf,
  needsMessage,
  noMetadata,
  RpcError,
  ruleForClient,
  streamTargetOf,
  type JsonObject,
  type Metadata,
  type Status,
} from "@sluice/rpc";
import { connectWebSocket, WebSocketError, type WebSocketConnection } from "@sluice/websocket";
import type {
  CallClient,
  CallClientOptions,
  ClientCall,
  ClientCallListener,
  ClientCallStart,
} from "./call-client.ts";
import type { ClientTls } from "../tls-flags.ts";
import { objectFrom, restHeaders } from "./rest-request.ts";

interface Envelope {
  readonly headers?: Metadata;
  readonly result?: unknown;
  readonly status?: Status;
  readonly trailers?: Metadata;
}

/** REST's URLs over a WebSocket, with the subprotocol that carries all of a call. */
export class RestWebSocketClient implements CallClient {
  readonly #url: URL;
  readonly #tls: ClientTls | undefined;

  constructor({ url, tls }: CallClientOptions) {
    this.#url = url;
    this.#tls = tls;
  }

  open(start: ClientCallStart, listener: ClientCallListener): ClientCall {
    const { kind } = start.method;
    const isClientStream = kind === "client_streaming" || kind === "bidi_streaming";
    let connection: WebSocketConnection | undefined;
    let isOver = false;
    // What is said before the socket is open.
    const waiting: string[] = [];
    const end = (status: Status, trailers: Metadata = noMetadata): void => {
      if (isOver) return;
      isOver = true;
      listener.end(status, trailers);
    };
    const send = (text: string): void => {
      if (connection === undefined) waiting.push(text);
      else connection.send(text);
    };
    const connect = (target: string): void => {
      const url = new URL(target, this.#url);
      url.protocol = url.protocol.replace("http", "ws");
      url.searchParams.set("method", ruleForClient(start.method).method);
      connectWebSocket(url, {
        protocols: ["sluice.rest.v1"],
        headers: restHeaders(start),
        ...(this.#tls === undefined ? {} : { tls: this.#tls }),
        handlers: {
          message: (_connection, data) => {
            const { headers, result, status, trailers } = JSON.parse(data.toString("utf8")) as Envelope;
            if (headers !== undefined) listener.headers(headers);
            else if (status !== undefined) end(status, trailers);
            else listener.message(JSON.stringify(result));
          },
          close: (_connection, { code, reason }) =>
            end(createStatus(Code.UNAVAILABLE, `the WebSocket was closed with ${code} ${reason}`)),
        },
      }).then(
        (opened) => {
          connection = opened;
          for (const text of waiting) opened.send(text);
        },
        (error: unknown) => {
          if (!(error instanceof WebSocketError)) throw error;
          end(createStatus(Code.UNAVAILABLE, error.message));
        },
      );
    };
    if (isClientStream) {
      let isConnecting = false;
      const open = (first: JsonObject): void => {
        if (isConnecting) return;
        isConnecting = true;
        connect(streamTargetOf(start.method, first).target);
      };
      // Without variables in its path the server may speak first.
      if (!needsMessage(start.method)) open({});
      return {
        send: (json) => {
          open(objectFrom(json));
          send(json);
        },
        halfClose: () => {
          open({});
          send("");
        },
        cancel: () => connection?.close(),
      };
    }
    let message: JsonObject = {};
    return {
      send: (json) => (message = objectFrom(json)),
      halfClose: () => {
        try {
          const { target, body } = httpCallOf(start.method, message);
          if (body !== undefined) send(body);
          connect(target);
        } catch (error) {
          if (!(error instanceof RpcError)) throw error;
          end(createStatus(Code.INVALID_ARGUMENT, error.message));
        }
      },
      cancel: () => connection?.close(),
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
