import type { z } from "zod";
import { oneOf } from "./value-types.ts";

/** Which clients may do something by themselves. */
export type ClientAccess = "anyone" | "identified" | "nobody";

/** All, those of which it is known who they are, or none. */
export function clientAccess(): z.ZodType<ClientAccess, ClientAccess> {
  return oneOf(["anyone", "identified", "nobody"]);
}
