import { Code, httpStatusFromCode } from "@sluice/protocol";
import {
  CloseCode,
  Heartbeat,
  type AcceptOptions,
  type HeartbeatOptions,
  type WebSocketConnection,
  type WebSocketHandlers,
} from "@sluice/websocket";
import type { Metadata } from "../call/metadata.ts";
import type { CallReport } from "../call/report.ts";
import { createStatus, type Status } from "../call/status.ts";
import { defaultMaxMessageBytes, malformedQuery, refusalOf } from "../rest/rest-handler.ts";
import { parseQuery, splitTarget } from "../rest/http-message.ts";
import { metadataFromRequest, timeoutFromRequest } from "../rest/rest-metadata.ts";
import type { Method } from "../schema/method.ts";
import { RestRoutes, type RoutesSource } from "../transcode/rest-routes.ts";
import { jsonFromStatus } from "../transcode/status-json.ts";
import {
  readSocketCredentials,
  withCredentials,
  type SocketCredentials,
} from "../wire/socket-credentials.ts";
import type { WebSocketRequest } from "../wire/web-socket-request.ts";
import { RestWebSocketCall } from "./rest-websocket-call.ts";
import { selectProtocol } from "./subprotocol.ts";

/** What the dialect of REST over a WebSocket needs. */
export interface RestWebSocketOptions {
  readonly routes: RoutesSource;
  /** Which pages may connect; default: those of the gateway's own origin. Other clients send no Origin. */
  readonly origin?: NonNullable<AcceptOptions["origin"]>;
  /** The largest message in both senses, of the WebSocket and of JSON, in bytes; default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** How clients are asked whether they live; default: every 25 seconds, with 20 seconds to answer. */
  readonly heartbeat?: Partial<HeartbeatOptions>;
  /** Told of each call, and of each refused handshake, when it has ended. */
  readonly report?: (report: CallReport) => void;
}

/**
 * The dialect `rest-websocket`: the URLs of the REST dialect over a WebSocket, all four kinds of calls, each on
 * a socket of its own; compatible with grpc-websocket-proxy.
 */
export class RestWebSocketDialect {
  readonly #options: RestWebSocketOptions;
  readonly #calls = new Map<WebSocketConnection, RestWebSocketCall>();
  readonly #handlers: WebSocketHandlers;

  constructor(options: RestWebSocketOptions) {
    this.#options = options;
    this.#handlers = new Heartbeat(options.heartbeat).watch({
      message: (connection, data, isBinary) => this.#calls.get(connection)?.receive(data, isBinary),
      drain: (connection) => this.#calls.get(connection)?.resume(),
      close: (connection, closed) => {
        const call = this.#calls.get(connection);
        this.#calls.delete(connection);
        call?.abandon(`the client closed the WebSocket (${closed.code})`);
      },
    });
  }

  /** How many WebSockets are open. */
  get size(): number {
    return this.#calls.size;
  }

  /** Answers a request for a WebSocket. */
  accept(webSocket: WebSocketRequest): void {
    const { request } = webSocket;
    const routes = this.#options.routes();
    const begun = performance.now();
    const target = splitTarget(request.url ?? "/");
    const { path } = target;
    const query = parseQuery(target.query);
    let httpMethod = query?.get("method")?.toUpperCase() ?? "GET";
    let method: Method | undefined;
    const report = (status: Status): void =>
      this.#options.report?.({
        dialect: "rest-websocket",
        method,
        // What the query names is only repeated where it is a method that is bound.
        target: `${method === undefined ? "GET" : httpMethod} ${path}`,
        status,
        duration: performance.now() - begun,
      });
    const refuse = (httpStatus: number, status: Status): void => {
      webSocket.refuse(httpStatus, jsonFromStatus(status));
      report(status);
    };
    if (!(routes instanceof RestRoutes)) {
      refuse(httpStatusFromCode(routes.code), routes);
      return;
    }
    if (query === undefined) {
      refuse(400, malformedQuery);
      return;
    }
    const timeout = timeoutFromRequest(request);
    if ("code" in timeout) {
      refuse(400, timeout);
      return;
    }
    const credentials = readSocketCredentials(request);
    if ("code" in credentials) {
      refuse(400, credentials);
      return;
    }
    let match = routes.match(httpMethod, path);
    if (match.kind === "wrong_method" && !query.has("method")) {
      // An upgrade is always a GET. Where GET leads nowhere and the client names no method, the path is enough.
      httpMethod = match.allowed.includes("POST") ? "POST" : (match.allowed[0] ?? "POST");
      match = routes.match(httpMethod, path);
    }
    if (match.kind !== "found") {
      const { httpStatus, status } = refusalOf(routes, match, httpMethod, path);
      refuse(httpStatus, status);
      return;
    }
    const { transcoder, backend, any } = match.route;
    method = transcoder.binding.method;

    const maxMessageBytes = this.#options.maxMessageBytes ?? defaultMaxMessageBytes;
    const connection = webSocket.accept({
      handlers: this.#handlers,
      protocols: () => selectProtocol(credentials),
      limits: { maxMessageBytes },
      ...(this.#options.origin === undefined ? {} : { origin: this.#options.origin }),
      refused: ({ status, message }) =>
        report(createStatus(status === 403 ? Code.PERMISSION_DENIED : Code.INVALID_ARGUMENT, message)),
    });
    if (connection === undefined) return;
    const withoutMethod = new URLSearchParams(query);
    withoutMethod.delete("method");
    const call = new RestWebSocketCall(connection, {
      transcoder,
      backend,
      url: { values: match.values, query: withoutMethod },
      metadata: restMetadata(metadataFromRequest(request), credentials),
      ...timeout,
      maxMessageBytes,
      any,
      ended: report,
    });
    this.#calls.set(connection, call);
  }

  /** Closes every WebSocket with 1001, and cancels their calls. */
  closeAll(reason: string): void {
    for (const [connection, call] of this.#calls) {
      connection.close(CloseCode.GOING_AWAY, reason);
      call.abandon(reason);
    }
  }
}

/** As grpc-gateway has it, which sees a token from wherever it came as the header `Authorization`. */
function restMetadata(metadata: Metadata, credentials: SocketCredentials): Metadata {
  const { authorization } = credentials;
  const joined = withCredentials(metadata, credentials);
  return authorization === undefined ? joined : { ...joined, "grpcgateway-authorization": authorization };
}
