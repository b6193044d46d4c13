import type { BroadcastFlags, BroadcastPacket } from "../adapter/adapter.ts";
import type { DisconnectReason } from "./disconnect-reason.ts";
import type { Socket } from "./socket.ts";

/** Who lets sockets in beside the middlewares, and has the events that no listener has: a hub. */
export interface SocketGate {
  /**
   * Lets a socket in whom the middlewares have passed, or rejects; the error's `message` and `data` become the
   * CONNECT_ERROR. The socket has its session (`_session`) when it resolves. Rejects with `NotRecovered` for a socket that
   * is recovered and whose session does not go on: the client is given another, which is not.
   */
  enter(socket: Socket): Promise<void>;
  /** The CONNECT packet has been sent and the listeners of "connection" were called. */
  connected(socket: Socket): void;
}

/** What a socket should be given back is not there any more, or not all of it. */
export class NotRecovered extends Error {}

/** What a socket tells its session. */
export interface SocketSession {
  /** Whether somebody takes events that no listener of the application has. */
  readonly takesEvents: boolean;
  /** The application emits an event to the client, behind all that waits for it. */
  emit(packet: BroadcastPacket, flags: BroadcastFlags): void;
  /** An event that no listener of the application has; `ack` where the client asked for one. */
  received(args: readonly unknown[], ack: ((...args: unknown[]) => void) | undefined): void;
  /** Everything has left that was sent. */
  drained(): void;
  /** The socket is disconnected. Nothing is called after it. */
  ended(reason: DisconnectReason, description: unknown): void;
}
