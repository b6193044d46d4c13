import { z } from "zod";
import { backendName } from "./backend-section.ts";
import { count, duration, flag, oneOf } from "./value-types.ts";

/** What of a session a backend is told. */
export type Hook = "connect" | "message" | "disconnect" | "resume";

/** Which backend is told of sessions, and how; milliseconds. */
export interface CallbacksSection {
  readonly backend: string;
  readonly hooks: readonly Hook[];
  readonly onFailure: FailurePolicies;
  readonly timeout: number;
  readonly concurrency: number;
  readonly stream: boolean;
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
        connect: policy.prefault("deny").describe("deny closes the new session."),
        message: policy.prefault("deny").describe("deny tells the client that its message was not taken."),
        resume: policy.prefault("ignore").describe("deny closes the session."),
      }),
    ])
    .prefault({})
    .describe("What happens where it cannot answer: deny or ignore, for all hooks or for each."),
  timeout: duration().prefault("5s").describe("How long an answer may take."),
  concurrency: count({ most: 100_000 })
    .prefault(256)
    .describe("How many calls run at once; those of one session always in their order."),
  stream: flag()
    .prefault(false)
    .describe("Carry the sessions on bidirectional streams, for high rates; else on unary calls."),
});
