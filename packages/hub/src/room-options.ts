/** How much of a room is kept. */
export interface HistoryBounds {
  /** Publications. */
  readonly size: number;
  /** Milliseconds from a publication until it is forgotten. */
  readonly ttlMs: number;
}

/**
 * What becomes of a publication that does not fit into the outbox of a session that reads slowly:
 * - `close`: the session is closed with 4413
 * - `drop_oldest`: the oldest of that room that wait are dropped for it
 * - `latest`: all of that room that wait are dropped for it
 */
export type SlowPolicy = "close" | "drop_oldest" | "latest";

/** What a room is like. */
export interface RoomOptions {
  /** What is kept of it, so that it can be recovered. Default: nothing. */
  readonly history?: HistoryBounds;
  /** Whether clients may ask who is in it, and `onRoom` is told who comes and goes. Default: false. */
  readonly presence?: boolean;
  /** What becomes of what a slow session has no room for. Default: `close`. */
  readonly slow?: SlowPolicy;
  /** Sessions that may be in it on this node. Default: Infinity. */
  readonly maxMembers?: number;
}

/** What each room is like, by its name. The answer for a name must not change while the room has members. */
export type RoomRule = (room: string) => RoomOptions;

/**
 * Room options by patterns: a name, or the beginning of names followed by `*`. A name counts before all patterns, and a
 * longer pattern before a shorter one; a room that no pattern fits has the default options. Throws a RangeError that names
 * the pattern which cannot be meant.
 */
export function roomsByPattern(patterns: Readonly<Record<string, RoomOptions>>): RoomRule {
  const exact = new Map<string, RoomOptions>();
  const prefixes: { readonly prefix: string; readonly options: RoomOptions }[] = [];
  for (const [pattern, options] of Object.entries(patterns)) {
    validateRoomOptions(`rooms["${pattern}"]`, options);
    const star = pattern.indexOf("*");
    if (star < 0) exact.set(pattern, options);
    else if (star === pattern.length - 1) prefixes.push({ prefix: pattern.slice(0, -1), options });
    else throw new RangeError(`The pattern "${pattern}" has a * that is not at its end.`);
  }
  prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
  const none: RoomOptions = {};
  return (room) => exact.get(room) ?? prefixes.find(({ prefix }) => room.startsWith(prefix))?.options ?? none;
}

/** Checks the options of a room. Throws a RangeError that names the room and what is wrong. */
export function validateRoomOptions(
  room: string,
  { history, slow, maxMembers = Infinity }: RoomOptions,
): void {
  if (history !== undefined && !(Number.isSafeInteger(history.size) && history.size > 0)) {
    throw new RangeError(`${room}: history.size is ${history.size}: it must be a whole number above 0`);
  }
  if (history !== undefined && !(history.ttlMs > 0)) {
    throw new RangeError(`${room}: history.ttlMs is ${history.ttlMs}: it must be a number above 0`);
  }
  if (slow !== undefined && !["close", "drop_oldest", "latest"].includes(slow)) {
    throw new RangeError(`${room}: slow is "${slow}": it must be close, drop_oldest or latest`);
  }
  if (!(maxMembers > 0)) throw new RangeError(`${room}: maxMembers is ${maxMembers}: it must be above 0`);
}
