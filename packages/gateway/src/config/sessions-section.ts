import { z } from "zod";
import type { ClientAccess } from "../session-host/options.ts";
import { clientAccess } from "./client-access.ts";
import { count, duration, size, textLike } from "./value-types.ts";

/** How sessions live; milliseconds. */
export interface SessionsSection {
  readonly grace: number;
  readonly direct: ClientAccess;
  readonly headers: readonly string[];
  readonly limits: SessionLimitsSection;
}

/** The bounds of sessions; times in milliseconds, sizes in bytes. Those of `HubLimits`, of the broker and of the faces. */
export interface SessionLimitsSection {
  readonly sessions: number;
  readonly sessionsPerUser: number;
  readonly opening: number;
  readonly roomsPerSession: number;
  readonly roomName: number;
  readonly message: number;
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  readonly outbox: number;
  readonly replayCount: number;
  readonly replay: number;
  readonly histories: number;
  readonly historyPage: number;
  readonly stateEntries: number;
  readonly state: number;
  readonly presenceMembers: number;
  readonly envelope: number;
  readonly packets: number;
}

const limits: z.ZodType<SessionLimitsSection> = z.strictObject({
  sessions: count()
    .prefault(100_000)
    .describe(
      "Sessions of this gateway, those without a connection among them. Over it: the one that is away the longest ends with 1013; where none is, the client is refused with 1013.",
    ),
  sessionsPerUser: count()
    .prefault(100)
    .describe(
      "Sessions of one user. Over it: one of them that is away ends with 1013; where none is, the client is refused with 4429.",
    ),
  opening: duration()
    .prefault("10s")
    .describe(
      "How long it may take until a client is let in: its greeting, its token, the backend's answer. Over it: 4408.",
    ),
  roomsPerSession: count()
    .prefault(128)
    .describe("Rooms that one session may be in. Over it: RESOURCE_EXHAUSTED."),
  roomName: count({ most: 1_024 })
    .prefault(255)
    .describe("Bytes of a room's name. Over it: INVALID_ARGUMENT."),
  message: size()
    .prefault("64KiB")
    .describe(
      "The largest message on a face, and the largest publication. Over it: closed with 1009, or INVALID_ARGUMENT.",
    ),
  messagesPerSecond: count()
    .prefault(100)
    .describe("Messages of one client in a second, in the long run. Over it: closed with 4429."),
  messageBurst: count()
    .prefault(200)
    .describe("Messages of one client at once, after a silence. Over it: closed with 4429."),
  outbox: size()
    .prefault("1MiB")
    .describe(
      "The most bytes that wait for one client. Over it: what slow of the room says, or closed with 4413.",
    ),
  replayCount: count()
    .prefault(256)
    .describe(
      "Messages that are kept for a session with a resume key. Over it: the oldest cannot be recovered.",
    ),
  replay: size().prefault("256KiB").describe("The most bytes of such messages."),
  histories: size()
    .prefault("256MiB")
    .describe(
      "The most bytes of the histories of all rooms. Over it: that of the room to which nothing was published for the longest is forgotten.",
    ),
  historyPage: count({ most: 100_000 })
    .prefault(300)
    .describe(
      "Publications that one recovery or one page of history may give. Over it: not recovered; a shorter page.",
    ),
  stateEntries: count().prefault(64).describe("Entries of one session's state. Over it: RESOURCE_EXHAUSTED."),
  state: size()
    .prefault("16KiB")
    .describe("The most bytes of one session's state. Over it: RESOURCE_EXHAUSTED."),
  presenceMembers: count().prefault(1_000).describe("Members that a presence names; the counts are of all."),
  envelope: size()
    .prefault("256KiB")
    .describe(
      "The largest WebSocket message on the session wire and of packets, with all around its content. Over it: 1009.",
    ),
  packets: count().prefault(64).describe("Packets in one WebSocket message. Over it: 4429."),
});

/** The sessions. */
export const sessionsSchema: z.ZodType<SessionsSection> = z.strictObject({
  grace: duration({ least: 0 })
    .prefault("60s")
    .describe("How long a session with a resume key lives without a connection; 0s is not at all."),
  direct: clientAccess()
    .prefault("nobody")
    .describe("Which clients may say something to another session directly, without the backend."),
  headers: z
    .array(textLike(/^[!#$%&'*+.^_`|~0-9a-z-]+$/, "must be the name of a header in lower case"))
    .prefault(["accept-language", "origin", "user-agent"])
    .describe("The headers of a client's request that its session keeps and the backend is told."),
  limits: limits
    .prefault({})
    .describe("The bounds of sessions; over one of them a client gets an error or is closed."),
});
