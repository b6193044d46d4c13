import type { AddressInfo } from "node:net";
import {
  createDirectory,
  createRestHandler,
  createRpcHandler,
  createSchemaRoutes,
  RestRoutes,
  type Backend,
  type HttpRequest,
  type RestOptions,
  type RpcHandlerOptions,
} from "@sluice/rpc";
import type { ListenerLimits } from "../listener/limits.ts";
import { Listener } from "../listener/listener.ts";
import type { ListenerTls } from "../listener/tls-acceptor.ts";
import { isLoopback } from "../loopback.ts";
import type { Logger } from "../log.ts";
import { pushSchema } from "../sessions/schemas.ts";

/** What the port of the push API is made of; all but the backend as on the port of the gateway. */
export interface PushPortOptions extends Pick<RpcHandlerOptions, "maxMessageBytes" | "bodyMs" | "report"> {
  readonly backend: Backend;
  readonly rest: RestOptions;
  readonly log: Logger;
  readonly limits?: Partial<ListenerLimits>;
  readonly tls?: ListenerTls;
  /** Whether only requests to a loopback name or address are answered: no page may reach it by a name of its own. */
  readonly isForThisMachine: boolean;
}

/** A port on which the push API is served, and nothing else: over HTTP, in gRPC, gRPC-Web, Connect and REST. */
export class PushPort {
  readonly #listener: Listener;

  constructor({ backend, rest, log, limits, tls, isForThisMachine, ...shared }: PushPortOptions) {
    const { pathUnescaping, ...json } = rest;
    const schema = pushSchema();
    const directory = createDirectory(schema, backend, json);
    const routes = new RestRoutes(createSchemaRoutes(schema, backend, json).routes, { pathUnescaping });
    const rpc = createRpcHandler({ ...shared, methods: () => directory });
    const answer = createRestHandler({ ...shared, routes: () => routes });
    const refusal = JSON.stringify({ code: 12, message: "the push API has no WebSockets on this port" });
    this.#listener = new Listener(
      {
        request: (request, response) => {
          if (isForThisMachine && !isLoopback(hostOf(request))) {
            response.statusCode = 403;
            response.end("Without a token, the push API answers to localhost and loopback addresses only.\n");
          } else if (!rpc(request, response)) answer(request, response);
        },
        webSocket: (webSocket) => webSocket.refuse(501, refusal),
        failed: (error) => log.error(error),
        refused: (address) => log.debug(`${address} has too many connections`),
      },
      limits,
      tls,
    );
  }

  /** As `Listener.listen`. */
  listen(host: string, port: number): Promise<AddressInfo> {
    return this.#listener.listen(host, port);
  }

  /** As `Listener.renewCertificate`. */
  renewCertificate(tls: ListenerTls): void {
    this.#listener.renewCertificate(tls);
  }

  /** Stops accepting, and resolves when every connection has ended with the requests that it has. */
  drain(): Promise<void> {
    return this.#listener.drain();
  }

  /** Ends every connection that is still open. */
  destroy(): void {
    this.#listener.destroy();
  }
}

/** The host that a request is for, without its port and the brackets of IPv6. */
function hostOf({ headers }: HttpRequest): string {
  const host = headers[":authority"] ?? headers.host;
  return typeof host === "string" ? host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "") : "";
}
