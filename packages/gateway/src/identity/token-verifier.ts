import { errors, jwtVerify, type CryptoKey, type JWTPayload, type JWTVerifyOptions } from "jose";
import { publicKeyAlgorithms, type Algorithm } from "./algorithms.ts";
import { wallClock } from "./clock.ts";
import { noLog, type IdentityEnvironment } from "./environment.ts";
import { identityFromClaims } from "./identity-from-claims.ts";
import { IdentityError } from "./identity-error.ts";
import { defaultJwtLimits, type JwtOptions } from "./identity-options.ts";
import type { Identity } from "./identity.ts";
import type { KeySource } from "./key-source.ts";
import { loadPublicKeys, loadSecret } from "./local-keys.ts";
import { RemoteKeys } from "./remote-keys.ts";
import { quoted, readTokenHeader, type TokenHeader } from "./token-header.ts";
import { validateJwtOptions } from "./validate-options.ts";

/** Checks tokens. */
export interface TokenVerifier {
  /** Who a token says that its bearer is. Rejects with an IdentityError, in which nothing of the token is secret. */
  verify(token: string): Promise<Identity>;
  /** Ends what is under way; tokens cannot be relied on to be checked any more. */
  close(): void;
}

/**
 * A verifier of JSON Web Tokens. Files are read before it resolves; a JWK Set is fetched meanwhile, and tokens wait for it.
 * Rejects with an IdentityError `options_invalid`.
 */
export async function createTokenVerifier(
  options: JwtOptions,
  environment: IdentityEnvironment = {},
): Promise<TokenVerifier> {
  const [problem] = validateJwtOptions(options);
  if (problem !== undefined)
    throw new IdentityError("options_invalid", problem.message, { option: problem.option });
  if (options.jwks !== undefined) {
    const jwks = typeof options.jwks === "string" ? { url: options.jwks } : options.jwks;
    if (options.audience === undefined) {
      const message =
        "jwt.audience is not given: tokens that the issuer of the keys makes for others count too";
      (environment.log ?? noLog).warn({}, message);
    }
    return new JwtVerifier(options, new RemoteKeys(jwks, environment), publicKeyAlgorithms, environment);
  }
  const takesSecret = options.secret !== undefined || options.secretFile !== undefined;
  const keys = await (takesSecret ? loadSecret(options) : loadPublicKeys(options));
  const unfit = options.algorithms?.find((each) => !keys.algorithms.includes(each));
  if (unfit !== undefined) {
    const message = `jwt.algorithms has ${unfit}, and the key is one for ${keys.algorithms.join(", ")}`;
    throw new IdentityError("options_invalid", message, { option: "jwt.algorithms" });
  }
  return new JwtVerifier(options, keys, keys.algorithms, environment);
}

class JwtVerifier implements TokenVerifier {
  readonly #options: JwtOptions;
  readonly #keys: KeySource;
  readonly #algorithms: ReadonlySet<string>;
  readonly #maxTokenBytes: number;
  readonly #clockToleranceMs: number;
  readonly #now: () => number;

  constructor(
    options: JwtOptions,
    keys: KeySource,
    fitting: readonly Algorithm[],
    { clock = wallClock }: IdentityEnvironment,
  ) {
    this.#options = options;
    this.#keys = keys;
    this.#algorithms = new Set(options.algorithms ?? fitting);
    this.#maxTokenBytes = options.maxTokenBytes ?? defaultJwtLimits.maxTokenBytes;
    this.#clockToleranceMs = options.clockToleranceMs ?? defaultJwtLimits.clockToleranceMs;
    this.#now = () => clock.now();
  }

  async verify(token: string): Promise<Identity> {
    const header = readTokenHeader(token, this.#maxTokenBytes);
    if (!this.#algorithms.has(header.alg)) {
      const allowed = [...this.#algorithms].join(", ");
      throw new IdentityError(
        "algorithm_refused",
        `The token is signed with ${quoted(header.alg)}; allowed are ${allowed}`,
      );
    }
    const claims = await this.#verifyWith(await this.#keys.find(header), token, header);
    return identityFromClaims(claims, this.#options.userClaim ?? "sub", this.#clockToleranceMs);
  }

  close(): void {
    this.#keys.close();
  }

  async #verifyWith(keys: readonly CryptoKey[], token: string, { alg }: TokenHeader): Promise<JWTPayload> {
    const { issuer, audience } = this.#options;
    const options: JWTVerifyOptions = {
      algorithms: [alg],
      currentDate: new Date(this.#now()),
      clockTolerance: this.#clockToleranceMs / 1000,
      ...(issuer === undefined ? {} : { issuer: listOf(issuer) }),
      ...(audience === undefined ? {} : { audience: listOf(audience) }),
    };
    for (const key of keys) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed))
          throw errorFromJose(error, this.#options);
      }
    }
    throw new IdentityError("bad_signature", `The signature of the token (${alg}) does not fit the key`);
  }
}

/** An error of this package for one of jose, whose own has all claims in it. Others stay what they are. */
function errorFromJose(error: unknown, { issuer, audience }: JwtOptions): unknown {
  if (error instanceof errors.JWTExpired) return new IdentityError("expired", "The token has expired (exp)");
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error;
    if (reason === "invalid") {
      return new IdentityError("malformed", `The claim ${claim} of the token is not a number`);
    }
    if (claim === "nbf") return new IdentityError("not_yet_valid", "The token is not valid yet (nbf)");
    if (claim === "iss") return new IdentityError("wrong_issuer", differs("issuer (iss)", reason, issuer));
    return new IdentityError("wrong_audience", differs("audience (aud)", reason, audience));
  }
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) {
    return new IdentityError(
      "malformed",
      "The header or the claims of the token are not a JSON object in UTF-8",
    );
  }
  return error;
}

function differs(what: string, reason: string, wanted: string | readonly string[] | undefined): string {
  return `The token has ${reason === "missing" ? "no" : "another"} ${what}; it must be ${listOf(wanted).join(" or ")}`;
}

function listOf(value: string | readonly string[] = []): string[] {
  return typeof value === "string" ? [value] : [...value];
}
