import type { AddressInfo } from "node:net";
import { Code } from "@sluice/protocol";
import {
  createCors,
  createRestHandler,
  createRpcHandler,
  createStatus,
  dropForeignCookies,
  type CallReport,
  type Directory,
  type MultiplexSocketLimits,
  type RestOptions,
  type Schema,
  type SharedCounts,
  type ShareRules,
} from "@sluice/rpc";
import { allowsOrigin, type HeartbeatOptions, type OriginPolicy } from "@sluice/websocket";
import type { DeadlineOptions } from "./deadlines.ts";
import { createFileHandler, type FileHandler } from "./files.ts";
import type { ListenerLimits } from "./listener/limits.ts";
import { Listener, type ListenerCounts } from "./listener/listener.ts";
import type { ListenerTls } from "./listener/tls-acceptor.ts";
import { logCall } from "./log-call.ts";
import type { Logger } from "./log.ts";
import { createOpenApiHandler } from "./openapi-handler.ts";
import { OwnServices } from "./own-services.ts";
import { SessionHost, type SessionCounts } from "./session-host/session-host.ts";
import type { HostedPush, SessionHostOptions } from "./session-host/options.ts";
import { createPushPort, pushUpstream } from "./session-host/push-api.ts";
import type { PushPort } from "./session-host/push-port.ts";
import type { UpstreamOptions } from "./upstream.ts";
import { Upstreams } from "./upstreams.ts";
import { WebSockets } from "./web-sockets.ts";

/** What a gateway is made of. */
export interface GatewayOptions {
  /** The backends, each with a name of its own; a service that two of them have is an error. */
  readonly upstreams: readonly UpstreamOptions[];
  readonly log: Logger;
  readonly rest?: RestOptions;
  /** The largest message of a client, in bytes; default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Milliseconds for the body of a request to a method that takes one message; default 300 000. */
  readonly bodyMs?: number;
  /** The bounds of connections; what is not given has its default. */
  readonly limits?: Partial<ListenerLimits>;
  /** Speaks TLS with clients, HTTP/2 or HTTP/1.1 by ALPN. Default: without TLS, HTTP/2 by prior knowledge. */
  readonly tls?: ListenerTls;
  /** The bounds of each WebSocket with many calls; what is not given has its default. */
  readonly multiplex?: MultiplexSocketLimits;
  /** How long calls may take; default: as long as their clients say. */
  readonly deadlines?: DeadlineOptions;
  /** Which server-streaming methods are opened once for all clients that ask for the same; default: none. */
  readonly share?: ShareRules;
  /** Milliseconds between two comments in a silent stream of Server-Sent Events; default 15 000. */
  readonly keepAliveMs?: number;
  /** How clients of WebSockets are asked whether they live; default: every 25 seconds, with 20 to answer. */
  readonly heartbeat?: Partial<HeartbeatOptions>;
  /** Which pages may make calls and open WebSockets, beside those of the gateway's own origin; default: none. */
  readonly origin?: OriginPolicy;
  /** A folder of files to serve where no method is bound. */
  readonly files?: string;
  /** Whether clients may ask for the schema by gRPC server reflection; default false. */
  readonly reflection?: boolean;
  /** Whether `GET /openapi.json` answers the OpenAPI document, where no method is bound to it; default false. */
  readonly openApi?: boolean;
  /** The sessions that clients hold, on paths that come before those of methods. Default: none. */
  readonly sessions?: SessionHostOptions;
}

/** What clients have open at a gateway. */
export interface GatewayCounts extends ListenerCounts {
  /** WebSockets of all dialects. */
  readonly webSockets: number;
  /** Calls on the WebSockets that carry many. */
  readonly multiplexCalls: number;
  /** The streams that are shared, and their clients. */
  readonly shared: SharedCounts;
  /** The sessions, where there are any. */
  readonly sessions?: SessionCounts;
}

/** How long clients may take to read how their calls were ended, in milliseconds. */
const lastWordsTime = 1_000;

const closing = createStatus(Code.UNAVAILABLE, "the gateway is shutting down");

/** One port, its dialects, and the backends behind them. */
export class Gateway {
  readonly #upstreams: Upstreams;
  readonly #own: OwnServices;
  readonly #listener: Listener;
  readonly #webSockets: WebSockets;
  readonly #sessions: SessionHost | undefined;
  readonly #push: HostedPush | undefined;
  readonly #pushPort: PushPort | undefined;
  #pushAddress: AddressInfo | undefined;
  #isClosing = false;

  constructor(options: GatewayOptions) {
    const { log } = options;
    const origin = withOwnOrigin(options.origin ?? "same");
    const sessions = createSessions(options, () => this.#upstreams, origin);
    const upstreams = new Upstreams({
      upstreams: [...options.upstreams, ...pushUpstream(options, sessions)],
      rest: options.rest ?? {},
      deadlines: options.deadlines ?? {},
      share: options.share ?? new Map(),
      log,
    });
    const shared = {
      report: (report: CallReport) => logCall(log, report),
      ...(options.maxMessageBytes === undefined ? {} : { maxMessageBytes: options.maxMessageBytes }),
      ...(options.bodyMs === undefined ? {} : { bodyMs: options.bodyMs }),
    };
    const rest = createRestHandler({
      ...shared,
      ...(options.keepAliveMs === undefined ? {} : { keepAliveMs: options.keepAliveMs }),
      routes: () => upstreams.routes(),
      fallback: createFallback(options, () => upstreams.schema()),
    });
    this.#own = new OwnServices({
      schema: () => upstreams.schema(),
      isReady: () => upstreams.isReady,
      isServing: (service) => upstreams.isServing(service),
      onChange: (listener) => upstreams.onChange(listener),
      isClosing: () => this.#isClosing,
      reflection: options.reflection ?? false,
      report: shared.report,
    });
    const cors = createCors({ origin: options.origin ?? "same", report: shared.report });
    const rpc = createRpcHandler({ ...shared, methods: () => upstreams.methods() });
    const methods: Directory = {
      find: (path) => (this.#isClosing ? closing : (this.#own.find(path) ?? upstreams.methods().find(path))),
    };
    const webSockets = new WebSockets({
      ...shared,
      // Requests on connections that are left are still served; a WebSocket would have no time to live.
      routes: () => (this.#isClosing ? closing : upstreams.routes()),
      methods: () => methods,
      origin,
      ...(options.multiplex === undefined ? {} : { multiplex: options.multiplex }),
      ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
    });
    this.#push = options.sessions?.push;
    this.#pushPort = createPushPort(options, sessions, shared);
    this.#sessions = sessions;
    this.#upstreams = upstreams;
    this.#webSockets = webSockets;
    this.#listener = new Listener(
      {
        request: (request, response) => {
          if (cors(request, response) || sessions?.handle(request, response) === true) return;
          if (this.#own.handle(request, response) || rpc(request, response)) return;
          rest(request, response);
        },
        webSocket: (webSocket) => {
          if (origin === "any") dropForeignCookies(webSocket.request);
          if (sessions?.accept(webSocket) !== true) webSockets.accept(webSocket);
        },
        failed: (error) => log.error(error),
        refused: (address) => log.debug(`${address} has too many connections`),
      },
      options.limits,
      options.tls,
    );
  }

  /** Shows another certificate from now on; throws OpenSSL's error, and goes on with the one before. */
  renewCertificate(tls: ListenerTls): void {
    this.#listener.renewCertificate(tls);
    this.#pushPort?.renewCertificate(tls);
  }

  /** Where the push API listens, once `start` has resolved; undefined where it has no port of its own. */
  get pushAddress(): AddressInfo | undefined {
    return this.#pushAddress;
  }

  /** What is open at this moment. */
  get counts(): GatewayCounts {
    const { size, multiplexCalls } = this.#webSockets;
    const shared = this.#upstreams.sharedCounts;
    const sessions = this.#sessions?.counts;
    return {
      ...this.#listener.counts,
      webSockets: size,
      multiplexCalls,
      shared,
      ...(sessions === undefined ? {} : { sessions }),
    };
  }

  /**
   * Loads the schemas and listens; resolves with the address. A backend that cannot be reached does not keep the
   * gateway from starting. Rejects with an RpcError for a schema that is wrong or a service that two backends have, an
   * IdentityError for keys of tokens that are none, and with the error of `net.Server` for a port that cannot be had.
   */
  async start(host: string, port: number): Promise<AddressInfo> {
    await this.#sessions?.start();
    const address = await this.#listener.listen(host, port);
    try {
      await this.#listenForPush();
      await this.#upstreams.start();
    } catch (error) {
      await this.close(0);
      throw error;
    }
    return address;
  }

  /**
   * Stops accepting and lets calls finish for at most `graceMs` milliseconds, over which sessions end with 1001. Then closes the WebSockets that are
   * left with 1001, ends the other calls with UNAVAILABLE, and after a second everything else.
   */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    this.#webSockets.goAway();
    const drained = Promise.all([this.#listener.drain(), this.#pushPort?.drain()]).then(() => undefined);
    await Promise.all([this.#sessions?.close(graceMs), settledWithin(drained, graceMs)]);
    this.#webSockets.closeAll(closing);
    await Promise.all([this.#upstreams.close(0), this.#own.close(), this.#sessions?.push?.close()]);
    await settledWithin(drained, lastWordsTime);
    this.#listener.destroy();
    this.#pushPort?.destroy();
    await drained;
  }

  async #listenForPush(): Promise<void> {
    const { listen } = this.#push ?? {};
    if (listen !== undefined) this.#pushAddress = await this.#pushPort?.listen(listen.host, listen.port);
  }
}

function createSessions(
  { sessions, upstreams: sources, log, heartbeat, keepAliveMs }: GatewayOptions,
  upstreams: () => Upstreams,
  origin: OriginPolicy,
): SessionHost | undefined {
  if (sessions === undefined) return undefined;
  return new SessionHost(sessions, {
    backend: (name) => sources.find((each) => each.name === name)?.backend,
    methods: () => upstreams().methods(),
    log,
    origin,
    ...(heartbeat === undefined ? {} : { heartbeat }),
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
  });
}

function createFallback({ files, openApi }: GatewayOptions, schema: () => Schema | undefined): FileHandler {
  const serveFile: FileHandler =
    files === undefined ? (_request, _response, refuse) => refuse() : createFileHandler(files);
  return openApi === true ? createOpenApiHandler(schema, serveFile) : serveFile;
}

function withOwnOrigin(policy: OriginPolicy): OriginPolicy {
  if (typeof policy === "string") return policy;
  return (_origin, headers) =>
    allowsOrigin(policy, headers.host, headers) || allowsOrigin("same", headers.host, headers);
}

async function settledWithin(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
