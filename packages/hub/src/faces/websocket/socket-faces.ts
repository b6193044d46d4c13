import {
  type AcceptOptions,
  type CompressionOptions,
  defaultHeartbeat,
  Heartbeat,
  type HeartbeatOptions,
  type Limits,
  type OriginPolicy,
  type WebSocketConnection,
  type WebSocketHandlers,
} from "@sluice/websocket";
import type { Refusal } from "../../attachment.ts";
import { type Clock, systemClock } from "../../clock.ts";
import { CloseCode } from "../../close-code.ts";
import type { Hub } from "../../hub.ts";
import { RateLimit } from "../../rate-limit.ts";
import {
  type Client,
  type ClientOptions,
  clientFromRequest,
  type KnownClient,
  type OpeningRequest,
} from "../client.ts";
import { isRefusal } from "../refusal.ts";
import { packetProtocol } from "../packet/packet-codec.ts";
import { sessionProtocol, SessionWire } from "../session-wire/session-wire.ts";
import type { Identify } from "../timed-identity.ts";
import type { Wire } from "./conversation.ts";
import { type PacketTypes, PacketWire } from "./packet-wire.ts";
import { RawWire } from "./raw-wire.ts";
import { SocketLink, type SocketSurroundings } from "./socket-link.ts";
import { resolveSocketLimits, type SocketLimits } from "./socket-limits.ts";

/** A face on WebSockets. */
export type SocketFaceName = "websocket" | "session" | "packet";

/** How sessions are held on WebSockets. */
export interface SocketFacesOptions extends ClientOptions {
  /**
   * Which faces there are: `session` and `packet` are taken by clients that offer their subprotocols, `websocket` by all
   * others. Default: all three. A client that can have none is closed with 4400.
   */
  readonly faces?: readonly SocketFaceName[];
  /** The subprotocols of the application on the raw face; of those offered, the first that is here is agreed to. Default: none. */
  readonly protocols?: readonly string[];
  /** Which browsers' pages may connect. Default `"same"`: those of the server's own host. */
  readonly origin?: OriginPolicy;
  /** Compression of messages; those to many sessions are compressed once. Default: false. */
  readonly compression?: boolean | Partial<CompressionOptions>;
  /** How clients are asked whether they live. Default: every 25 seconds, with 20 to answer. */
  readonly heartbeat?: Partial<HeartbeatOptions>;
  readonly limits?: Partial<SocketLimits>;
  /** Which types of packets the application knows. Default: all. A packet of another type: 4400. */
  readonly packetTypes?: PacketTypes;
  /** Says who has a token that a client sends in a message. Default: no tokens are taken, and sending one is 4401. */
  readonly identify?: Identify;
  /** Where time comes from. Default: the clock of this process. */
  readonly clock?: Clock;
  /** Is told of what went wrong in the server while a client's command was obeyed. Default: nobody. */
  readonly failed?: (error: unknown) => void;
  /** Is told of a request that was refused, after it was answered. */
  readonly refused?: NonNullable<AcceptOptions["refused"]>;
}

/** A connection whose handshake is done, and which is not a link yet. */
interface Arrival {
  readonly wire: Wire<unknown>;
  /** A refusal where the application failed to say something of it. */
  readonly client: Client | Refusal;
}

/**
 * The faces `websocket`, `session` and `packet`. One object, with one set of handlers, for all connections of a hub:
 *
 * ```ts
 * const faces = new SocketFaces(hub);
 * server.on("upgrade", (request, socket, head) => acceptWebSocket(request, socket, head, faces.accept(request)));
 * ```
 */
export class SocketFaces {
  readonly #hub: Hub;
  readonly #options: SocketFacesOptions;
  readonly #handlers: WebSocketHandlers;
  /** Who takes a client that offers a subprotocol. */
  readonly #takers = new Map<string, Taker>();
  /** Who takes all others. */
  readonly #raw: Taker | undefined;

  /** Throws a RangeError for an option that cannot be meant. */
  constructor(hub: Hub, options: SocketFacesOptions = {}) {
    const { faces = ["websocket", "session", "packet"], protocols = [] } = options;
    const clock = options.clock ?? systemClock;
    const limits = resolveSocketLimits(options.limits);
    this.#hub = hub;
    this.#options = options;
    const heartbeat = new Heartbeat(options.heartbeat, { clock });
    const surroundings = { hub, clock, firstMessageMs: limits.firstMessageMs };
    this.#handlers = heartbeat.watch(createHandlers(surroundings, faces));
    for (const face of faces) {
      const taker = takerOf(createWire(face, hub, options, limits));
      if (face === "session") this.#takers.set(sessionProtocol, taker);
      else if (face === "packet") this.#takers.set(packetProtocol, taker);
      else {
        this.#raw = taker;
        for (const protocol of protocols) this.#takers.set(protocol, taker);
      }
    }
  }

  /**
   * How `acceptWebSocket` and its like are to take this one request. `known` is what was found out about the client
   * before. A client that no face takes is closed with 4400.
   */
  accept(request: OpeningRequest, known?: KnownClient): AcceptOptions {
    const { origin, compression, refused } = this.#options;
    const allows = typeof origin === "function" ? this.#guarded(origin, false) : origin;
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((each) => each.trim());
    const protocol = offered.find((each) => this.#takers.has(each));
    const taker = protocol === undefined ? this.#raw : this.#takers.get(protocol);
    return {
      handlers: this.#handlers,
      ...(protocol === undefined ? {} : { protocols: [protocol] }),
      ...(taker === undefined ? {} : { limits: taker.limits, data: this.#arrival(taker, request, known) }),
      ...(allows === undefined ? {} : { origin: allows }),
      ...(compression === undefined ? {} : { compression }),
      ...(refused === undefined ? {} : { refused: this.#guarded(refused, undefined) }),
    };
  }

  #arrival({ wire }: Taker, request: OpeningRequest, known: KnownClient | undefined): Arrival {
    const failed: Refusal = { code: CloseCode.INTERNAL, reason: "the server failed" };
    const client = this.#guarded(() => clientFromRequest(request, this.#options, known), failed);
    return { wire, client: client() };
  }

  /** A function of the application, which may throw: then it is `otherwise`. */
  #guarded<Args extends unknown[], Result, Otherwise>(
    call: (...args: Args) => Result,
    otherwise: Otherwise,
  ): (...args: Args) => Result | Otherwise {
    return (...args) => {
      try {
        return call(...args);
      } catch (error) {
        this.#hub.report(error);
        return otherwise;
      }
    };
  }
}

/** A wire, and the limits of its connections; one object, as `acceptWebSocket` keeps what it made of it. */
interface Taker {
  readonly wire: Wire<unknown>;
  readonly limits: Partial<Limits>;
}

function takerOf(wire: Wire<unknown>): Taker {
  return { wire, limits: { maxMessageBytes: wire.maxMessageBytes } };
}

function createWire(
  face: SocketFaceName,
  hub: Hub,
  options: SocketFacesOptions,
  limits: SocketLimits,
): Wire<unknown> {
  const { identify, packetTypes, failed = () => {}, clock = systemClock } = options;
  const { messageBytes, messagesPerSecond, messageBurst } = hub.limits;
  const { envelopeBytes, historyBytes, packetsPerMessage, pendingCommands } = limits;
  switch (face) {
    case "websocket":
      return new RawWire(messageBytes, identify);
    case "packet":
      return new PacketWire({
        limits: { maxPackets: packetsPerMessage, maxContentBytes: messageBytes },
        maxMessageBytes: envelopeBytes,
        types: packetTypes,
        report: (error, session) => hub.report(error, session),
        identify,
      });
    case "session": {
      const { intervalMs = defaultHeartbeat.intervalMs } = options.heartbeat ?? {};
      const pingSeconds = Number.isFinite(intervalMs) ? intervalMs / 1000 : 0;
      const maxMessageBytes = envelopeBytes;
      return new SessionWire({
        maxMessageBytes,
        pendingCommands,
        historyBytes,
        pingSeconds,
        identify,
        clock,
        rate: new RateLimit(messagesPerSecond, messageBurst),
        failed,
      });
    }
  }
}

function linkOf({ data }: WebSocketConnection): SocketLink | undefined {
  return data instanceof SocketLink ? data : undefined;
}

function createHandlers(
  surroundings: SocketSurroundings,
  faces: readonly SocketFaceName[],
): WebSocketHandlers {
  return {
    open: (connection) => {
      const arrival = connection.data as Arrival | undefined;
      if (arrival === undefined)
        connection.close(CloseCode.MALFORMED, `no face takes this client: offer ${offers(faces)}`);
      else if (isRefusal(arrival.client)) connection.close(arrival.client.code, arrival.client.reason);
      else connection.data = new SocketLink(connection, arrival.wire, arrival.client, surroundings);
    },
    message: (connection, data, isBinary) => linkOf(connection)?.receive(data, isBinary),
    drain: (connection) => linkOf(connection)?.drained(),
    pong: (connection) => linkOf(connection)?.pong(),
    close: (connection, closed) => linkOf(connection)?.ended(closed),
  };
}

/** The subprotocols that clients may offer. */
function offers(faces: readonly SocketFaceName[]): string {
  return faces.map((face) => (face === "session" ? sessionProtocol : packetProtocol)).join(" or ");
}
