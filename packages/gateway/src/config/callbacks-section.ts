import { isMetadataName } from "@sluice/rpc";
import { z } from "zod";
import { backendName } from "./backend-section.ts";
import { count, duration, oneOf, textLike } from "./value-types.ts";

/** What of a session a backend is told. */
export type Hook = "connect" | "message" | "disconnect" | "resume";

/** Which backend is told of sessions, and how; milliseconds. */
export interface CallbacksSection {
  readonly backend: string;
  readonly hooks: readonly Hook[];
  readonly onFailure: FailurePolicies;
  readonly timeout: number;
  readonly wait: number;
  readonly connectWait: number;
  readonly concurrency: number;
  readonly streams: number;
  readonly giveUp: number;
  readonly disconnectsPerSecond: number;
  readonly breaker: { readonly failures: number; readonly pause: number };
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a session is told where the backend cannot answer. */
export type FailurePolicies = Readonly<Record<"connect" | "message" | "resume", "deny" | "ignore">>;

const policy = oneOf(["deny", "ignore"]);

/** The callbacks. */
export const callbacksSchema: z.ZodType<CallbacksSection> = z.strictObject({
  backend: backendName.describe("The name of the backend that implements sluice.session.v1.SessionHandler."),
  hooks: z
    .array(oneOf(["connect", "message", "disconnect", "resume"]))
    .min(1, { error: "is an empty list" })
    .prefault(["connect", "message", "disconnect"])
    .describe("What of a session it is told."),
  onFailure: z
    .union([
      policy.transform((all) => ({ connect: all, message: all, resume: all })),
      z.strictObject({
        connect: policy
          .prefault("deny")
          .describe(
            "deny closes the new session with 1013, or 1011 where the backend failed; ignore lets it in as it is.",
          ),
        message: policy
          .prefault("deny")
          .describe("deny tells the client that its message was refused; ignore acknowledges it."),
        resume: policy
          .prefault("ignore")
          .describe("deny closes the session in the same way; ignore lets it go on."),
      }),
    ])
    .prefault({})
    .describe("What happens where it cannot answer: deny or ignore, for all hooks or for each."),
  timeout: duration().prefault("3s").describe("How long one answer may take."),
  wait: duration()
    .prefault("15s")
    .describe("How long a message, or a client that returned, may wait for a backend that is away or busy."),
  connectWait: duration()
    .prefault("6s")
    .describe("The same for a client that connects; less than sessions.limits.opening."),
  concurrency: count({ most: 100_000 })
    .prefault(256)
    .describe(
      "Events that the backend has at the same time, of all sessions; those of one session come in order.",
    ),
  streams: count({ least: 0, most: 64 })
    .prefault(0)
    .describe("How many bidirectional streams carry all events, for high rates; 0 is a unary call for each."),
  giveUp: duration()
    .prefault("10m")
    .describe("After how long a Disconnect that was never answered is given up."),
  disconnectsPerSecond: count()
    .prefault(500)
    .describe("Disconnects in a second, so that a backend that has just come back can bear them."),
  breaker: z
    .strictObject({
      failures: count()
        .prefault(5)
        .describe("Failures one after another after which the backend is taken for being away."),
      pause: duration()
        .prefault("1s")
        .describe("The time until one event is let through again, to see whether it is back."),
    })
    .prefault({})
    .describe("When the backend is left alone because it does not answer."),
  metadata: z
    .record(
      textLike(/^[a-z][0-9a-z_.-]*$/, "must be the name of a metadatum in lower case").refine(
        (name) => isMetadataName(name) && !name.endsWith("-bin"),
        { error: "must be the name of a metadatum that is text" },
      ),
      textLike(/^[\x20-\x7e]*$/, "must be printable ASCII"),
    )
    .prefault({})
    .describe("Metadata of all calls, such as an authorization for the backend."),
});
