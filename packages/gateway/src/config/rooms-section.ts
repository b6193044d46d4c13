import { z } from "zod";
import type { ClientAccess } from "../session-host/options.ts";
import { clientAccess } from "./client-access.ts";
import { count, duration, flag, oneOf, textLike } from "./value-types.ts";

/** What holds for the rooms of a pattern; times in milliseconds. */
export interface RoomSection {
  readonly history?: { readonly size: number; readonly ttl: number } | undefined;
  readonly presence: boolean;
  readonly slow: "close" | "drop_oldest" | "latest";
  readonly maxMembers?: number | undefined;
  readonly join: ClientAccess;
  readonly publish: ClientAccess;
}

/** What holds for the rooms of one pattern. */
export const roomSchema: z.ZodType<RoomSection> = z.strictObject({
  history: z
    .strictObject({
      size: count({ most: 100_000 }).describe("How many publications are kept."),
      ttl: duration().describe("How long a publication is kept."),
    })
    .optional()
    .describe(
      "Keep publications, so that a client that returns is given what it missed, and members may ask for them. Default: none is kept.",
    ),
  presence: flag().prefault(false).describe("Whether members may ask who is in the room."),
  slow: oneOf(["close", "drop_oldest", "latest"])
    .prefault("close")
    .describe(
      "What becomes of a publication for a client that reads too slowly: its session is closed, the oldest of the room are dropped, or all but the latest.",
    ),
  maxMembers: count().optional().describe("The most sessions in the room. Default: any number."),
  join: clientAccess()
    .prefault("nobody")
    .describe("Which clients may join by themselves; the backend may let any join."),
  publish: clientAccess()
    .prefault("nobody")
    .describe("Which clients may publish by themselves, without the backend."),
});

/** A name, or what names begin with and a `*`. */
export function roomPattern(): z.ZodType<string, string> {
  return textLike(
    /^(?:[^*]+\*?|\*)$/,
    "must be the name of a room, or what names begin with and a * at its end, as in chat:*",
  );
}
