import { z } from "zod";
import { listenAddress, type ListenAddress } from "./listener-section.ts";
import { oneOrMore, text, textLike } from "./value-types.ts";

/** Bytes of a token of the push API. Fewer can be guessed. */
export const leastTokenBytes = 16;

/** Whether a token is long enough, and a header can carry it. */
export function isFitToken(token: string): boolean {
  return token.length >= leastTokenBytes && isSendableToken(token);
}

/** Whether a header can carry a token as it is. */
export function isSendableToken(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token);
}

/** Who may use the push API, and where. */
export interface PushSection {
  readonly token?: readonly string[] | undefined;
  readonly tokenFile?: string | undefined;
  readonly listen?: ListenAddress | undefined;
  readonly origins: readonly string[];
}

/** The push API. */
export const pushSchema: z.ZodType<PushSection> = z.strictObject({
  token: oneOrMore(text("a token"))
    .optional()
    .describe(
      "Callers must send it, as in Authorization: Bearer TOKEN; of several, any. Better in a variable or a file.",
    ),
  tokenFile: text("a file").optional().describe("A file with a token in each line, read at the start."),
  listen: listenAddress()
    .optional()
    .describe(
      "A port of its own, where nothing else is served; without a token only on a loopback address. Default: the port of the gateway, with a token.",
    ),
  origins: z
    .array(
      textLike(
        /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/,
        "must be a scheme and a host, as in https://admin.example.com",
      ),
    )
    .prefault([])
    .describe(
      "Pages that may use it too, with a token; the pages of other origins are also to be in the key origins.",
    ),
});
