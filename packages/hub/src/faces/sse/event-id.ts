/** Where a client of an event stream is: how many deliveries it has had, and its place in each room of its query. */
export interface StreamPosition {
  readonly received: number;
  /** In the order of the query; undefined for a room without history. */
  readonly rooms: readonly (RoomPosition | undefined)[];
}

/** A place in a room. */
export interface RoomPosition {
  readonly epoch: string;
  readonly offset: number;
}

/** The longest id that is read, in characters: more than 128 rooms have. */
const maxIdLength = 8_192;

/**
 * The `id` of an event: `<received>`, and for each room of the query `;<epoch>.<offset>`, or `;` alone where the room
 * keeps no history. An epoch is percent-encoded where it has to be.
 */
export function encodeEventId({ received, rooms }: StreamPosition): string {
  let id = String(received);
  for (const room of rooms) {
    id += room === undefined ? ";" : `;${encodeURIComponent(room.epoch)}.${room.offset}`;
  }
  return id;
}

/** What an `id` says; undefined for what `encodeEventId` does not make. */
export function decodeEventId(id: string): StreamPosition | undefined {
  if (id.length > maxIdLength) return undefined;
  const [first = "", ...rest] = id.split(";");
  const received = countFrom(first);
  if (received === undefined) return undefined;
  const rooms: (RoomPosition | undefined)[] = [];
  for (const part of rest) {
    const room = part === "" ? undefined : roomFrom(part);
    if (room === undefined && part !== "") return undefined;
    rooms.push(room);
  }
  return { received, rooms };
}

function roomFrom(part: string): RoomPosition | undefined {
  const dot = part.lastIndexOf(".");
  const offset = countFrom(part.slice(dot + 1));
  if (dot < 1 || offset === undefined) return undefined;
  try {
    return { epoch: decodeURIComponent(part.slice(0, dot)), offset };
  } catch {
    return undefined;
  }
}

function countFrom(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const count = Number(text);
  return Number.isSafeInteger(count) ? count : undefined;
}
