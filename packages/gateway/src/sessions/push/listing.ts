import { create, fromJson, toBinary, type JsonValue } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Hub, Member, Message, Publication, Session } from "@sluice/hub";
import { claimsFrom } from "../envelope.ts";
import {
  HistoryResponseSchema,
  PresenceResponseSchema,
  PublicationSchema,
  SessionInfoSchema,
  SessionsResponseSchema,
  MemberSchema,
  type HistoryRequest,
  type HistoryResponse,
  type Member as MemberMessage,
  type PresenceRequest,
  type PresenceResponse,
  type Publication as PublicationMessage,
  type SessionInfo,
  type SessionsRequest,
  type SessionsResponse,
} from "../generated/sluice/push/v1/push_pb.ts";
import type { Payload } from "../generated/sluice/session/v1/session_pb.ts";
import { payloadFrom } from "../payload.ts";
import { validateRoom } from "./fields.ts";
import { invalidField } from "./push-error.ts";

const defaultPage = 100;
const mostSessionsPerPage = 1_000;

/** Bytes of one page: gRPC clients take 4 MiB by default, and JSON needs more than protobuf. */
const pageBytes = 2 * 1024 * 1024;

/** Who of this gateway is in a room. */
export function presence(hub: Hub, { room }: PresenceRequest): PresenceResponse {
  validateRoom(hub, room);
  const present = hub.presence(room);
  return create(PresenceResponseSchema, { ...present, members: present.members.map(memberFrom) });
}

function memberFrom({ session, number, user, info }: Member): MemberMessage {
  const member = create(MemberSchema, { session, number, user });
  if (info !== undefined) member.info = fromJson(ValueSchema, info as JsonValue);
  return member;
}

/** What was published to a room. */
export async function history(hub: Hub, request: HistoryRequest): Promise<HistoryResponse> {
  const { room, since, limit, reverse } = request;
  validateRoom(hub, room);
  const page = await hub.history(room, {
    limit: limit === 0 ? defaultPage : limit,
    reverse,
    ...(since === undefined ? {} : { since: { epoch: since.epoch, offset: Number(since.offset) } }),
  });
  return create(HistoryResponseSchema, {
    newest: { epoch: page.epoch, offset: BigInt(page.offset) },
    publications: fitting(page.publications).map(publicationFrom),
    complete: page.complete,
  });
}

/** As many as fit into a page, one at least. */
function fitting(publications: readonly Publication[]): readonly Publication[] {
  let bytes = 0;
  const over = publications.findIndex((each) => (bytes += each.bytes) > pageBytes);
  return over < 0 ? publications : publications.slice(0, Math.max(1, over));
}

function publicationFrom({ offset, message, publishedAt }: Publication): PublicationMessage {
  return create(PublicationSchema, {
    offset: BigInt(offset),
    payload: payloadOf(message),
    type: message.type,
    from: message.from,
    publishedAt: timestampFromMs(publishedAt),
  });
}

/** JSON that google.protobuf.Value cannot hold is told as its text. */
function payloadOf(message: Message): Payload {
  try {
    return payloadFrom(message);
  } catch {
    return payloadFrom({ data: message.data });
  }
}

/** A page of the sessions, in the order in which they began. */
export function sessions(hub: Hub, request: SessionsRequest): SessionsResponse {
  const { user, room, pageSize, pageToken } = request;
  const size = pageSize === 0 ? defaultPage : pageSize;
  if (size > mostSessionsPerPage) throw invalidField("page_size", `at most ${mostSessionsPerPage}`);
  if (!/^\d{0,10}$/.test(pageToken))
    throw invalidField("page_token", "it is none that this method has given");
  // Numbers are given in order, so that the last one tells where the next page begins.
  const after = Number(pageToken);
  const page: SessionInfo[] = [];
  let bytes = 0;
  let hasMore = false;
  for (const session of user === "" ? hub.sessions : hub.sessionsOf(user)) {
    if (session.number <= after || (room !== "" && !session.rooms.has(room))) continue;
    hasMore = page.length === size || bytes > pageBytes;
    if (hasMore) break;
    const info = infoFrom(session);
    bytes += toBinary(SessionInfoSchema, info).length;
    page.push(info);
  }
  return create(SessionsResponseSchema, {
    sessions: page,
    nextPageToken: hasMore ? String(page.at(-1)?.number ?? "") : "",
    total: hub.size,
  });
}

function infoFrom(session: Session): SessionInfo {
  const claims = claimsFrom(session.claims);
  return create(SessionInfoSchema, {
    id: session.id,
    number: session.number,
    user: session.user,
    ...(claims === undefined ? {} : { claims }),
    rooms: [...session.rooms],
    face: session.face,
    address: session.request.address,
    generation: session.generation,
    away: session.phase === "away",
    connectedAt: timestampFromMs(session.connectedAt),
  });
}
