import type { SocketId } from "../adapter/broadcast-options.ts";
import { createSessionId } from "../engine/session-id.ts";
import type { EngineSession } from "../engine/session.ts";

/** The id of a new socket. Revision 5 has one for each namespace, for that of the connection is a secret. */
export function createSocketId(namespace: string, { id, protocol }: EngineSession): SocketId {
  if (protocol === 4) return createSessionId();
  return namespace === "/" ? id : `${namespace}#${id}`;
}
