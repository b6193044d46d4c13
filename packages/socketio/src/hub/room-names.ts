/**
 * The room of the hub that is a room of a namespace: of the namespace `/` the one of the same name, of `/chat` the one that is
 * named `/chat#` and its name.
 */
export function hubRoomOf(namespace: string, room: string): string {
  return namespace === "/" ? room : `${namespace}#${room}`;
}

/** The room of a namespace that is a room of the hub; undefined where it is none of that namespace. */
export function roomOfHub(namespace: string, hubRoom: string): string | undefined {
  if (namespace === "/") return hubRoom;
  const prefix = `${namespace}#`;
  return hubRoom.startsWith(prefix) ? hubRoom.slice(prefix.length) : undefined;
}
