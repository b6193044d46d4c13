import { z } from "zod";
import type { IdentityOptions } from "../identity/identity-options.ts";
import { backendName, backendSchema, type BackendSection } from "./backend-section.ts";
import { callbacksSchema, type CallbacksSection } from "./callbacks-section.ts";
import { facesSchema, type FacesSection } from "./faces-section.ts";
import { identitySchema } from "./identity-section.ts";
import { listenerShape, type ListenerSection } from "./listener-section.ts";
import { pushSchema, type PushSection } from "./push-section.ts";
import { roomPattern, roomSchema, type RoomSection } from "./rooms-section.ts";
import { sessionsSchema, type SessionsSection } from "./sessions-section.ts";

/** Everything that a gateway is configured with: `sluice.yaml`, the environment and the flags together, in full. */
export interface Config extends ListenerSection {
  readonly backends: Readonly<Record<string, BackendSection>>;
  readonly faces: FacesSection;
  readonly sessions: SessionsSection;
  readonly rooms: Readonly<Record<string, RoomSection>>;
  readonly identity?: IdentityOptions | undefined;
  readonly callbacks?: CallbacksSection | undefined;
  readonly push?: PushSection | undefined;
  readonly broker: "memory";
}

/** The configuration as a person writes it, to its full form. */
export const configSchema: z.ZodType<Config> = z.strictObject({
  ...listenerShape,
  backends: z
    .record(backendName, backendSchema)
    .prefault({})
    .describe(
      "The gRPC servers, each with a name of its own; a call goes to the one whose schema has its service.",
    ),
  faces: facesSchema
    .prefault({})
    .describe("The wires on which clients hold sessions, each on its path. Default: none."),
  sessions: sessionsSchema.prefault({}).describe("How sessions live, and their limits."),
  rooms: z
    .record(roomPattern(), roomSchema)
    .prefault({})
    .describe(
      "What holds for rooms, by their names or what these begin with, as in chat:*; the longest that fits counts.",
    ),
  identity: identitySchema
    .optional()
    .describe("How the clients of faces are identified. Default: all are nobody."),
  callbacks: callbacksSchema
    .optional()
    .describe("The backend that is told of sessions and decides what becomes of them."),
  push: pushSchema
    .optional()
    .describe("The API by which backends send to sessions and publish to rooms. Default: it is not served."),
  broker: z
    .enum(["memory"], { error: "must be memory, which is one gateway alone; there is no other broker" })
    .prefault("memory")
    .describe("What carries rooms between gateways: memory, which is one gateway alone."),
});
