/** What a room of another namespace than `/` looks like in the hub. */
const ofNamespace = /^\/[^#]*#/;
/** Before the rooms of `/` that look so. Of no other namespace, because there is something behind its slash. */
const escape = "/#";

/**
 * The room of the hub that is a room of a namespace: of the namespace `/` the one of the same name, of `/chat` the one that is
 * named `/chat#` and its name. As clients may choose names of rooms and namespaces, no two have the same: a room of `/` that
 * looks like one of another namespace has `/#` before it, and in the name of a namespace `#` is `%23` and `%` is `%25`.
 */
export function hubRoomOf(namespace: string, room: string): string {
  if (namespace === "/") return ofNamespace.test(room) ? `${escape}${room}` : room;
  return `${prefixOf(namespace)}${room}`;
}

/** The room of a namespace that is a room of the hub; undefined where it is none of that namespace. */
export function roomOfHub(namespace: string, hubRoom: string): string | undefined {
  if (namespace !== "/") {
    const prefix = prefixOf(namespace);
    return hubRoom.startsWith(prefix) ? hubRoom.slice(prefix.length) : undefined;
  }
  if (!ofNamespace.test(hubRoom)) return hubRoom;
  const room = hubRoom.startsWith(escape) ? hubRoom.slice(escape.length) : "";
  return ofNamespace.test(room) ? room : undefined;
}

function prefixOf(namespace: string): string {
  const name = namespace.replaceAll("%", "%25").replaceAll("#", "%23");
  return `${name}#`;
}
