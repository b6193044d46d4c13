import type { AnySocket } from "./socket.ts";

/** The sockets of one connection, by the names of their namespaces. Most have one, for which a Map would be large. */
export type JoinedSockets = AnySocket | Map<string, AnySocket> | undefined;

/** The socket in a namespace. */
export function socketIn(joined: JoinedSockets, name: string): AnySocket | undefined {
  if (joined instanceof Map) return joined.get(name);
  return joined?.nsp.name === name ? joined : undefined;
}

/** All sockets, in the order in which they joined. */
export function socketsOf(joined: JoinedSockets): readonly AnySocket[] {
  if (joined === undefined) return [];
  return joined instanceof Map ? [...joined.values()] : [joined];
}

/** How many sockets there are. */
export function countOf(joined: JoinedSockets): number {
  if (joined === undefined) return 0;
  return joined instanceof Map ? joined.size : 1;
}

/** The sockets with one more. */
export function withSocket(joined: JoinedSockets, socket: AnySocket): JoinedSockets {
  if (joined === undefined) return socket;
  const sockets = joined instanceof Map ? joined : new Map([[joined.nsp.name, joined]]);
  return sockets.set(socket.nsp.name, socket);
}

/** The sockets without one, if it is among them. */
export function withoutSocket(joined: JoinedSockets, socket: AnySocket): JoinedSockets {
  if (joined === socket) return undefined;
  if (joined instanceof Map && joined.get(socket.nsp.name) === socket) joined.delete(socket.nsp.name);
  return joined;
}
