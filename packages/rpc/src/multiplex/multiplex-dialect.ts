import {
  Code,
  httpStatusFromCode,
  MAX_WEB_SOCKET_MESSAGE_BYTES,
  MULTIPLEX_PROTOCOL,
  type AcceptedCall,
  type AcceptedCallListener,
  type CallOpening,
  type MultiplexLimits,
} from "@sluice/protocol";
import {
  Heartbeat,
  type AcceptOptions,
  type HeartbeatOptions,
  type WebSocketConnection,
  type WebSocketHandlers,
} from "@sluice/websocket";
import type { Metadata } from "../call/metadata.ts";
import type { CallReport } from "../call/report.ts";
import { createStatus, type Status } from "../call/status.ts";
import { defaultMaxMessageBytes } from "../rest/rest-handler.ts";
import { jsonFromStatus } from "../transcode/status-json.ts";
import { reporter } from "../wire/dialect.ts";
import type { DirectorySource } from "../wire/directory.ts";
import { readSocketCredentials } from "../wire/socket-credentials.ts";
import { metadataOfCall, metadataOfSocket } from "../wire/socket-metadata.ts";
import type { WebSocketRequest } from "../wire/web-socket-request.ts";
import { MultiplexCall } from "./multiplex-call.ts";
import { MultiplexSocket } from "./multiplex-socket.ts";

/** What the dialect of many calls on one WebSocket needs. */
export interface MultiplexOptions {
  readonly methods: DirectorySource;
  /** Which pages may connect; default: those of the gateway's own origin. Other clients send no Origin. */
  readonly origin?: NonNullable<AcceptOptions["origin"]>;
  /** The largest message of a client, in bytes; default 4 MiB. Over it, its call ends with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes?: number;
  /** The other bounds of each socket; what is not given has its default, mostly that of `defaultMultiplexLimits`. */
  readonly limits?: MultiplexSocketLimits;
  /** How clients are asked whether they live; default: every 25 seconds, with 20 seconds to answer. */
  readonly heartbeat?: Partial<HeartbeatOptions>;
  /** Told of each call, and of each refused handshake, when it has ended. */
  readonly report?: (report: CallReport) => void;
}

/** Bounds of one socket with many calls. */
export type MultiplexSocketLimits = Partial<
  Pick<MultiplexLimits, "maxCalls" | "maxHeaderBytes" | "maxAssemblyBytes" | "initialCredit"> & {
    /**
     * Calls that the client may abandon in a second: which it cancels, which end for what it sends, and which end at
     * the deadline that it gave. As many more may come at once. Default 1,000. Over it, new calls end with
     * RESOURCE_EXHAUSTED until some of that second is over.
     */
    readonly maxAbandonedCalls: number;
  }
>;

const defaultMaxAbandonedCalls = 1_000;

/** What calls are refused with that come to a gateway on its way out. */
const goingAway = createStatus(Code.UNAVAILABLE, "the gateway is shutting down");

/** One object for all sockets. */
const webSocketLimits = Object.freeze({ maxMessageBytes: MAX_WEB_SOCKET_MESSAGE_BYTES });

/** The largest message that the wire can announce. */
const greatestMessageBytes = 0xffff_ffff;

/** A call that was refused needs nobody to listen. */
const nobody: AcceptedCallListener = {
  message: () => undefined,
  halfClose: () => undefined,
  drain: () => undefined,
  end: () => undefined,
};

function tooManyAbandoned(most: number): Status {
  const what = `the client has cancelled, or let expire, more than ${most} calls in a second; wait before opening more`;
  return createStatus(Code.RESOURCE_EXHAUSTED, what);
}

/** The dialect `multiplex`: any number of calls, of all four kinds, on one WebSocket. PROTOCOL.md. */
export class MultiplexDialect {
  readonly #options: MultiplexOptions;
  readonly #limits: Partial<MultiplexLimits>;
  readonly #maxAbandonedCalls: number;
  readonly #sockets = new Map<WebSocketConnection, MultiplexSocket>();
  readonly #handlers: WebSocketHandlers;
  #isLeaving = false;

  constructor(options: MultiplexOptions) {
    this.#options = options;
    const { maxMessageBytes = defaultMaxMessageBytes } = options;
    const { maxAbandonedCalls = defaultMaxAbandonedCalls, ...limits } = options.limits ?? {};
    this.#maxAbandonedCalls = maxAbandonedCalls;
    this.#limits = {
      ...limits,
      maxMessageBytes: Math.min(maxMessageBytes, greatestMessageBytes),
      // A backend that is paused may still tell what it has read: its windows are the bound.
      maxWaitingBytes: Infinity,
    };
    this.#handlers = new Heartbeat(options.heartbeat).watch({
      view: ({ data: socket }, data, isBinary) => {
        if (socket instanceof MultiplexSocket) socket.receive(data, isBinary);
      },
      drain: ({ data: socket }) => {
        if (socket instanceof MultiplexSocket) socket.drain();
      },
      close: (connection, { code, reason }) => {
        this.#sockets.get(connection)?.closed(code, reason);
        this.#sockets.delete(connection);
      },
    });
  }

  /** How many WebSockets are open. */
  get size(): number {
    return this.#sockets.size;
  }

  /** How many calls are open on all of them. */
  get calls(): number {
    let calls = 0;
    for (const socket of this.#sockets.values()) calls += socket.size;
    return calls;
  }

  /** Answers a request for a WebSocket whose client offers `sluice.v1`, on any path. */
  accept(webSocket: WebSocketRequest): void {
    const { request } = webSocket;
    const report = reporter(this.#options, "multiplex", request);
    const credentials = this.#isLeaving ? goingAway : readSocketCredentials(request);
    if ("code" in credentials) {
      webSocket.refuse(httpStatusFromCode(credentials.code), jsonFromStatus(credentials));
      report(credentials);
      return;
    }
    const connection = webSocket.accept({
      handlers: this.#handlers,
      protocols: [MULTIPLEX_PROTOCOL],
      limits: webSocketLimits,
      ...(this.#options.origin === undefined ? {} : { origin: this.#options.origin }),
      refused: ({ status, message }) =>
        report(createStatus(status === 403 ? Code.PERMISSION_DENIED : Code.INVALID_ARGUMENT, message)),
    });
    if (connection === undefined) return;
    const metadata = metadataOfSocket(request, credentials);
    const socket = new MultiplexSocket(connection, {
      limits: this.#limits,
      maxAbandonedCalls: this.#maxAbandonedCalls,
      accept: (each, call, opening) => this.#open(each, metadata, call, opening),
    });
    connection.data = socket;
    this.#sockets.set(connection, socket);
  }

  /** Takes no more sockets and calls; each socket closes when its last call has ended. */
  goAway(): void {
    this.#isLeaving = true;
    for (const socket of this.#sockets.values()) socket.goAway(goingAway.message);
  }

  /** Closes every WebSocket with 1001, and cancels their calls. */
  closeAll(reason: string): void {
    for (const socket of this.#sockets.values()) socket.leave(reason);
  }

  #open(
    socket: MultiplexSocket,
    ofSocket: Metadata,
    accepted: AcceptedCall,
    opening: CallOpening,
  ): AcceptedCallListener {
    const target = `/${opening.method}`;
    const begun = performance.now();
    // Each costs a backend a call and the client next to nothing, and takes no place among the calls at once.
    const isRefused = socket.abandonedCalls.isOver(begun);
    const entry = isRefused
      ? tooManyAbandoned(this.#maxAbandonedCalls)
      : this.#options.methods().find(target);
    const report = (status: Status): void =>
      this.#options.report?.({
        dialect: "multiplex",
        method: "code" in entry ? undefined : entry.method,
        target,
        status,
        duration: performance.now() - begun,
      });
    if ("code" in entry) {
      accepted.end(entry);
      report(entry);
      return nobody;
    }
    return new MultiplexCall({
      accepted,
      opening,
      entry,
      metadata: metadataOfCall(ofSocket, opening.metadata),
      isReading: () => socket.isReading,
      abandoned: () => socket.abandonedCalls.add(performance.now()),
      // A client that leaves is no failure of the backend.
      report: (status) => report(socket.gone ?? status),
    });
  }
}
