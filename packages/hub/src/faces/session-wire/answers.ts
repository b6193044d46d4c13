import type { Attached } from "../../attachment.ts";
import type { HistoryPage, Published } from "../../broker/broker.ts";
import { HubError } from "../../hub-error.ts";
import type { Message } from "../../message.ts";
import type { Presence } from "../../presence.ts";
import type { Publication } from "../../publication.ts";
import type { JoinResult } from "../../session.ts";
import { type CommandError, jsonFromData, type RoomReport } from "./server-message.ts";

/** What is said of an error: as the hub says it, and of any other only that the server failed. */
export function commandErrorFrom(error: unknown): CommandError {
  if (error instanceof HubError) return { code: error.code, message: error.message };
  return { code: "INTERNAL", message: "the server failed" };
}

/** What became of each room that a client connected with. */
export function reportsFrom(rooms: Attached["rooms"]): RoomReport[] {
  return rooms.map((each) =>
    "error" in each
      ? { room: each.room, error: commandErrorFrom(each.error) }
      : { room: each.room, ...placeOf(each), recovered: each.recovered },
  );
}

/** The answer to `send`: what the backend replied, if it did. */
export function answerFromReply(reply: Message | undefined): string {
  if (reply === undefined) return "{}";
  const type = reply.type === "" ? "" : `,"type":${JSON.stringify(reply.type)}`;
  return `{"data":${jsonFromData(reply)}${type}}`;
}

/** The answer to `join`. */
export function answerFromJoin(result: JoinResult): string {
  return JSON.stringify({ ...placeOf(result), recovered: result.recovered });
}

/** The answer to `publish`. */
export function answerFromPublished(published: Published): string {
  return JSON.stringify({ ...placeOf(published), duplicate: published.duplicate });
}

/** The answer to `presence`. The ids of others are not told: whoever knows one could speak for that session. */
export function answerFromPresence({ members, sessions, users }: Presence): string {
  const shown = members.map(({ number, user, info }) => ({ number, user, info }));
  return JSON.stringify({ members: shown, sessions, users });
}

/** The answer to `history`: of the page as many publications as have room in `maxBytes`, and at least one. */
export function answerFromHistory(page: HistoryPage, maxBytes: number): string {
  const texts: string[] = [];
  let bytes = 0;
  for (const publication of page.publications) {
    const text = jsonFromPublication(publication);
    bytes += Buffer.byteLength(text);
    if (bytes > maxBytes && texts.length > 0) break;
    texts.push(text);
  }
  const { epoch, offset, complete } = page;
  const place = JSON.stringify({ epoch, offset, complete });
  return `${place.slice(0, -1)},"publications":[${texts.join(",")}]}`;
}

function jsonFromPublication({ message, offset, publishedAt }: Publication): string {
  const { type, from } = message;
  const rest = { offset, at: publishedAt, ...(type === "" ? {} : { type }), ...(from === 0 ? {} : { from }) };
  return `{"data":${jsonFromData(message)},${JSON.stringify(rest).slice(1)}`;
}

function placeOf({ epoch, offset }: { readonly epoch: string; readonly offset: number }): object {
  return epoch === "" ? {} : { epoch, offset };
}
