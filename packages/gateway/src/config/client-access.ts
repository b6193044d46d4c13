import type { z } from "zod";
import type { ClientAccess } from "../session-host/options.ts";
import { oneOf } from "./value-types.ts";

/** All, those of which it is known who they are, or none. */
export function clientAccess(): z.ZodType<ClientAccess, ClientAccess> {
  return oneOf(["anyone", "identified", "nobody"]);
}
