import type { DisconnectReason } from "./disconnect-reason.ts";
import type { EventsMap, ReservedOrUserEventNames, ReservedOrUserListener, Untyped } from "./typed-events.ts";

/** The events of a socket that its client does not send. */
export interface SocketReservedEventsMap {
  /** The socket was disconnected. `description` is the error behind it, where there is one. */
  disconnect: (reason: DisconnectReason, description?: Untyped) => void;
  /** The socket is being disconnected, and is still in its rooms. */
  disconnecting: (reason: DisconnectReason, description?: Untyped) => void;
  /** A middleware of `use()` refused an event, or what the client sent could not be read. */
  error: (err: Error) => void;
}

/** Events of a socket beside those of the package socket.io. An application may have events of these names itself. */
export interface SocketOwnEventsMap {
  /** `writable` is true again. */
  drain: () => void;
  /** `expiresAt` has passed. Unless a listener sets a later one, the connection is closed. */
  expired: () => void;
}

/** The names of the events of a socket, where its client sends some. */
export type SocketEventNames<ListenEvents extends EventsMap> = ReservedOrUserEventNames<
  SocketReservedEventsMap,
  ListenEvents
>;

/** The listener of an event of a socket. */
export type SocketListener<
  ListenEvents extends EventsMap,
  Name extends SocketEventNames<ListenEvents>,
> = ReservedOrUserListener<SocketReservedEventsMap, ListenEvents, Name>;
