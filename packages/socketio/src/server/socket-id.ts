import type { SocketId } from "../adapter/broadcast-options.ts";
import type { PrivateSessionId } from "../adapter/session.ts";
import { createSessionId } from "../engine/session-id.ts";
import type { EngineSession } from "../engine/session.ts";

/** The id of a new socket. Revision 5 has one for each namespace, for that of the connection is a secret. */
export function createSocketId(namespace: string, { id, protocol }: EngineSession): SocketId {
  if (protocol === 4) return createSessionId();
  return namespace === "/" ? id : `${namespace}#${id}`;
}

/** The secret with which a client gets its socket back. Adapters see whose it is, for the socket's id is in it. */
export function createPrivateId(id: SocketId): PrivateSessionId {
  return `${id}.${createSessionId()}`;
}
