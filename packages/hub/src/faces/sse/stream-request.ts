import type { ResumeRequest } from "../../attachment.ts";
import type { TimedIdentity } from "../timed-identity.ts";
import { decodeEventId, type RoomPosition } from "./event-id.ts";

/** What a client wants of its event stream, and who it is. */
export interface StreamRequest extends StreamWish {
  readonly identity?: TimedIdentity;
}

/** What a client wants of its event stream. */
export interface StreamWish {
  readonly rooms: readonly { readonly room: string; readonly since?: RoomPosition }[];
  readonly resume?: ResumeRequest;
  /** Whether the client was there before, and nothing can be made of where it was. */
  readonly isForgotten: boolean;
}

/**
 * What a query and the id of the last event ask for: `?room=` for each room, `?resume=` with the key of the session. The
 * answer is a sentence where it cannot be meant. An id that is not one of these rooms is as good as forgotten: the client
 * was not to make it, so it is not told off for it.
 */
export function streamWishFrom(query: URLSearchParams, lastEventId: string): StreamWish | string {
  const names = query.getAll("room");
  if (names.includes("")) return "room= must name a room";
  if (new Set(names).size < names.length) return "room= names a room twice";
  const position = lastEventId === "" ? undefined : decodeEventId(lastEventId);
  const isHere = position?.rooms.length === names.length;
  const since = isHere ? position.rooms : [];
  const key = query.get("resume");
  return {
    rooms: names.map((room, index) => {
      const at = since[index];
      return at === undefined ? { room } : { room, since: at };
    }),
    ...(key === null ? {} : { resume: { key, received: position?.received ?? 0 } }),
    isForgotten: lastEventId !== "" && !isHere,
  };
}
