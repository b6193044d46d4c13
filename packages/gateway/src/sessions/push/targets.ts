import type { Hub, Session } from "@sluice/hub";
import { invalidField, notFound } from "./push-error.ts";

/** The most sessions that one call names. */
export const mostSessions = 1_000;

/** Whom a call is about: sessions by their ids, or all of a user. */
export interface TargetRequest {
  readonly sessions: readonly string[];
  readonly user: string;
}

/** Those that are there, and the ids of those that are not. */
export interface Targets {
  readonly found: readonly Session[];
  readonly missing: string[];
}

/** Finds whom a call is about. Throws a PushError: INVALID_ARGUMENT, or NOT_FOUND where none is there. */
export function findTargets(hub: Hub, { sessions, user }: TargetRequest): Targets {
  if (sessions.length > 0 && user !== "") throw invalidField("user", "either sessions or a user, not both");
  if (sessions.length > mostSessions) {
    throw invalidField("sessions", `at most ${mostSessions} ids, and these are ${sessions.length}`);
  }
  if (user !== "") {
    const found = hub.sessionsOf(user);
    if (found.length === 0) throw notFound("user", user, "this gateway has no session of the user");
    return { found, missing: [] };
  }
  if (sessions.length === 0) throw invalidField("sessions", "name sessions, or a user");
  const found: Session[] = [];
  const missing: string[] = [];
  for (const id of new Set(sessions)) {
    const session = hub.session(id);
    if (session === undefined) missing.push(id);
    else found.push(session);
  }
  if (found.length === 0) {
    throw notFound("session", missing[0] ?? "", "this gateway has none of the sessions");
  }
  return { found, missing };
}
