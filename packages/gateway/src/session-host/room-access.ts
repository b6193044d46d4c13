import { roomsByPattern, type Authorize, type RoomOptions, type RoomRule, type Session } from "@sluice/hub";
import type { ClientAccess, HostedRoom } from "./options.ts";

/** What rooms are like, and what clients may do in them. */
export interface RoomAccess {
  readonly rooms: RoomRule;
  readonly authorize: Authorize;
}

/** The rule of rooms by pattern; in a room that no pattern fits, clients may do nothing by themselves. */
export function createRoomAccess(
  patterns: Readonly<Record<string, HostedRoom>>,
  direct: ClientAccess,
): RoomAccess {
  const rooms = roomsByPattern(patterns);
  const hosted = new Map<RoomOptions, HostedRoom>(Object.values(patterns).map((room) => [room, room]));
  const authorize: Authorize = (session, action, target) => {
    switch (action) {
      case "join":
      case "publish":
        return isAllowed(hosted.get(rooms(target))?.[action] ?? "nobody", session);
      case "presence":
      case "history":
        return session.rooms.has(target);
      case "send":
        return isAllowed(direct, session);
    }
  };
  return { rooms, authorize };
}

function isAllowed(access: ClientAccess, { user }: Session): boolean {
  return access === "anyone" || (access === "identified" && user !== "");
}
