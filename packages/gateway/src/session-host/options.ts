import type { HubLimits, RoomOptions, SocketFaceName } from "@sluice/hub";
import type { Backend } from "@sluice/rpc";
import type { IdentityOptions } from "../identity/identity-options.ts";
import type { PushAccess } from "../sessions/push/push-access.ts";
import type { SessionCallbacksOptions } from "../sessions/callbacks/options.ts";

/** Which clients may do something by themselves: all, those of whom it is known who they are, or none. */
export type ClientAccess = "anyone" | "identified" | "nobody";

/** A room, and what clients may do in it without the backend. Asking who is there, and for what was said, is for members. */
export interface HostedRoom extends RoomOptions {
  readonly join: ClientAccess;
  readonly publish: ClientAccess;
}

/** A path on which WebSockets are sessions. */
export interface HostedSockets {
  readonly path: string;
  /** At least one. */
  readonly faces: readonly SocketFaceName[];
}

/** Sessions that clients of Socket.IO hold. */
export interface HostedSocketIo {
  readonly path: string;
  /** The revisions of Engine.IO: 3 is of clients 2.x, 4 of all newer ones. */
  readonly revisions: readonly (3 | 4)[];
  /** Names, and beginnings of names followed by `*`. */
  readonly namespaces: readonly string[];
  /** Bytes of one message of a client, on its way: a POST, or a WebSocket message. */
  readonly maxPayload: number;
  /** Whether sockets that lose their connection are recovered. */
  readonly recovery: boolean;
}

/** The sessions that a gateway holds. */
export interface SessionHostOptions {
  readonly sockets: readonly HostedSockets[];
  /** The path of Server-Sent Events; undefined: there are none. */
  readonly events?: string | undefined;
  /** Default: there are none of Socket.IO. */
  readonly socketio?: HostedSocketIo | undefined;
  /** By names and patterns, as `roomsByPattern` takes them. */
  readonly rooms: Readonly<Record<string, HostedRoom>>;
  /** Which clients may say something to another session by its number. */
  readonly direct: ClientAccess;
  /** The headers of a request that its session keeps, in lower case. */
  readonly headers: readonly string[];
  readonly limits: Partial<HubLimits>;
  /** Bytes of the histories of all rooms together; default: that of `MemoryBroker`. */
  readonly historyBytes?: number | undefined;
  /** Bytes of one WebSocket message on the session wire and of packets, with all that is around its content. */
  readonly envelopeBytes: number;
  /** Packets in one WebSocket message. */
  readonly packetsPerMessage: number;
  /** Milliseconds for which a session with a resume key survives its connection. */
  readonly graceMs: number;
  /** Default: the Connect callback decides by the token that a client has, or all are nobody. */
  readonly identity?: IdentityOptions | undefined;
  /** The backend that is told of sessions; default: none. */
  readonly callbacks?: HostedCallbacks | undefined;
  /** Who may use the push API; default: it is not served. */
  readonly push?: HostedPush | undefined;
  /** Methods by the types of the packets that call them. */
  readonly packetTypes?: Readonly<Record<number, string>> | undefined;
}

/** What callbacks are made of, but for what the gateway has itself. */
export interface HostedCallbacks extends Omit<
  SessionCallbacksOptions,
  "backend" | "queues" | "report" | "clock" | "random"
> {
  /** The name of the upstream that is called. */
  readonly backend: string;
}

/** The push API of a gateway. */
export interface HostedPush extends PushAccess {
  /** A port of its own; default: that of the gateway, as one of its backends. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined;
}

/** A backend of the gateway by its name. */
export type BackendByName = (name: string) => Backend | undefined;
