import { z } from "zod";
import type { IdentityOptions, JwksOptions, JwtOptions, TokenPlace } from "../identity/identity-options.ts";
import { publicKeyAlgorithms, secretAlgorithms, type Algorithm } from "../identity/algorithms.ts";
import { duration, flag, oneOf, oneOrMore, size, text } from "./value-types.ts";

const algorithms: readonly Algorithm[] = [...secretAlgorithms, ...publicKeyAlgorithms];

const jwks: z.ZodType<JwksOptions> = z
  .strictObject({
    url: text("a URL").describe("An https: URL; http: only of this machine."),
    insecure: flag()
      .prefault(false)
      .describe("Allow http: to other machines: whoever is on the way decides then who anybody is."),
    refresh: duration()
      .prefault("10m")
      .describe("For how long a key set is used before it is fetched again."),
    cooldown: duration()
      .prefault("10s")
      .describe(
        "The time between two fetches that tokens with unknown keys cause, and after one that failed.",
      ),
    timeout: duration().prefault("5s").describe("How long a fetch may take."),
    max: size().prefault("256KiB").describe("The most bytes of the document."),
  })
  .transform(({ url, insecure, refresh, cooldown, timeout, max }) => ({
    url,
    insecure,
    refreshMs: refresh,
    cooldownMs: cooldown,
    timeoutMs: timeout,
    maxBytes: max,
  }));

const jwt: z.ZodType<JwtOptions> = z
  .strictObject({
    secret: text("a secret")
      .optional()
      .describe(
        "The secret of HS256, HS384 or HS512: 32, 48 or 64 bytes at least. Better in a variable or a file.",
      ),
    secretFile: text("a file").optional().describe("The file of such a secret."),
    publicKey: text("a key")
      .optional()
      .describe("A public key: SPKI or a certificate as PEM, or a JWK or JWK Set as JSON."),
    publicKeyFile: text("a file").optional().describe("The file of such a key."),
    jwks: z
      .union([text("a URL"), jwks])
      .optional()
      .describe("Where the JWK Set of the issuer is: an https: URL, alone or with options."),
    algorithms: z
      .array(oneOf(algorithms))
      .optional()
      .describe("The algorithms that are allowed. Default: all that the keys can be used with."),
    issuer: oneOrMore(text("an issuer"))
      .optional()
      .describe("What iss must be, or one of several. Default: anything."),
    audience: oneOrMore(text("an audience"))
      .optional()
      .describe("What aud must be or have in it, or one of several. Default: anything."),
    userClaim: text("a claim").prefault("sub").describe("The claim that says the user."),
    clockTolerance: duration({ least: 0 })
      .prefault("5s")
      .describe("How far the clocks of the issuer and of this machine may be apart."),
    maxToken: size().prefault("16KiB").describe("The most bytes of a token."),
  })
  .transform(({ clockTolerance, maxToken, ...others }) =>
    given<JwtOptions>({ ...others, clockToleranceMs: clockTolerance, maxTokenBytes: maxToken }),
  );

const place: z.ZodType<TokenPlace> = z.union([
  oneOf(["header", "subprotocol", "cookie", "query", "message"]),
  z.strictObject({ header: text("a name").describe("A header of this name, with or without Bearer.") }),
  z.strictObject({ cookie: text("a name").describe("A cookie of this name.") }),
  z.strictObject({ query: text("a name").describe("A parameter of the URL of this name.") }),
  z.strictObject({ message: text("a name").describe("A member of this name in the first message.") }),
]);

/** How clients are identified. */
export const identitySchema: z.ZodType<IdentityOptions> = z.strictObject({
  jwt: jwt.describe("Which JSON Web Tokens count; exactly one of the keys with secrets or public keys."),
  from: z
    .array(place)
    .prefault(["header", "subprotocol"])
    .describe("Where a token may stand; the first place that has one counts."),
  required: flag().prefault(true).describe("Whether a client without a token is refused; else it is nobody."),
});

/** Without the members that are undefined, which exact optional properties do not have. */
function given<T>(value: { readonly [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
