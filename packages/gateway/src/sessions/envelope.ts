import { create, type JsonObject } from "@bufbuild/protobuf";
import type { Session } from "@sluice/hub";
import { SessionSchema, type Session as Envelope } from "./generated/sluice/session/v1/session_pb.ts";

/** A session as a backend is told of it. */
export function envelopeFrom(session: Session): Envelope {
  const { request } = session;
  const envelope: Envelope = create(SessionSchema, {
    id: session.id,
    number: session.number,
    user: session.user,
    headers: { ...request.headers },
    state: Object.fromEntries(session.state.entries()),
    rooms: [...session.rooms],
    face: session.face,
    address: request.address,
    generation: session.generation,
    path: request.path,
    query: queryFrom(request.query),
  });
  const claims = claimsFrom(session.claims);
  if (claims !== undefined) envelope.claims = claims;
  return envelope;
}

/** Claims as JSON, which they are when they come from a token; undefined for none. */
export function claimsFrom(claims: Readonly<Record<string, unknown>>): JsonObject | undefined {
  return Object.keys(claims).length === 0 ? undefined : (claims as JsonObject);
}

function queryFrom(text: string): Record<string, string> {
  if (text === "") return {};
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (!query.has(name)) query.set(name, value);
  }
  return Object.fromEntries(query);
}
