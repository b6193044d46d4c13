import type { AnySocket } from "../server/socket.ts";
import type { Adapter } from "./adapter.ts";
import type { BroadcastOptions, Room, SocketId } from "./broadcast-options.ts";
import type { SetsByKey } from "./sets-by-key.ts";

/** Calls a function with each socket of this server that is meant, once. */
export function forEachAddressed(
  { nsp: { sockets }, rooms: table }: Adapter,
  { rooms, except }: BroadcastOptions,
  call: (socket: AnySocket) => void,
): void {
  const members = table as SetsByKey;
  const excepted = except === undefined || except.size === 0 ? undefined : idsIn(members, except);
  if (rooms.size === 0) {
    for (const socket of sockets.values()) if (excepted?.has(socket.id) !== true) call(socket);
    return;
  }
  // Who is in two rooms is still called once.
  const called = rooms.size === 1 ? undefined : new Set<SocketId>();
  for (const room of rooms) {
    for (const id of members.membersOf(room)) {
      if (excepted?.has(id) === true || called?.has(id) === true) continue;
      const socket = sockets.get(id);
      if (socket === undefined) continue;
      called?.add(id);
      call(socket);
    }
  }
}

function idsIn(members: SetsByKey, rooms: ReadonlySet<Room>): ReadonlySet<SocketId> {
  const [room = ""] = rooms;
  if (rooms.size === 1) return members.membersOf(room);
  const ids = new Set<SocketId>();
  for (const each of rooms) for (const id of members.membersOf(each)) ids.add(id);
  return ids;
}
