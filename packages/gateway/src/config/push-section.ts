import { z } from "zod";
import { listenAddress, type ListenAddress } from "./listener-section.ts";
import { text } from "./value-types.ts";

/** Who may use the push API, and where. */
export interface PushSection {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly listen?: ListenAddress | undefined;
}

/** The push API. */
export const pushSchema: z.ZodType<PushSection> = z.strictObject({
  token: text("a token")
    .optional()
    .describe("Callers must send it, as in Authorization: Bearer TOKEN. Better in a variable or a file."),
  tokenFile: text("a file").optional().describe("The file of the token, read at the start."),
  listen: listenAddress()
    .optional()
    .describe(
      "A port of its own, where nothing else is served; without a token only on a loopback address. Default: the port of the gateway, with a token.",
    ),
});
