import type { IdentityEnvironment } from "./environment.ts";
import { findToken, type TokenRequest } from "./find-token.ts";
import { IdentityError } from "./identity-error.ts";
import { defaultJwtLimits, type IdentityOptions } from "./identity-options.ts";
import type { Identity } from "./identity.ts";
import { tokenFromMessage } from "./token-message.ts";
import { placesFrom, type NamedPlace } from "./token-place.ts";
import { createTokenVerifier, type TokenVerifier } from "./token-verifier.ts";
import { validateIdentityOptions } from "./validate-options.ts";

/** What a request says of who asks; `protocols` are the subprotocols that may be answered, see TokenSearch. */
export type Authentication = { readonly protocols: readonly string[] } & (
  | { readonly kind: "identified"; readonly identity: Identity }
  /** The client has to send its token as its first message. A face without messages refuses it. */
  | { readonly kind: "awaiting_message" }
  /** No token, and none is required. */
  | { readonly kind: "anonymous" }
);

/** Identifies clients, on every face alike. */
export interface Authenticator {
  /** Who asks. Rejects with an IdentityError; a token that is wrong is never taken for none. */
  authenticate(request: TokenRequest): Promise<Authentication>;
  /** Who a client is by a message with a token in it: its first one, or one that refreshes. Rejects with an IdentityError. */
  authenticateMessage(message: string | Uint8Array): Promise<Identity>;
  /** Ends what is under way. */
  close(): void;
}

/** An authenticator for the options. Rejects with an IdentityError `options_invalid`. */
export async function createAuthenticator(
  options: IdentityOptions,
  environment: IdentityEnvironment = {},
): Promise<Authenticator> {
  const [problem] = validateIdentityOptions(options);
  if (problem !== undefined)
    throw new IdentityError("options_invalid", problem.message, { option: problem.option });
  return new TokenAuthenticator(options, await createTokenVerifier(options.jwt, environment));
}

class TokenAuthenticator implements Authenticator {
  readonly #verifier: TokenVerifier;
  readonly #places: readonly NamedPlace[];
  readonly #messageMember: string;
  readonly #awaitsMessage: boolean;
  readonly #isRequired: boolean;
  readonly #maxTokenBytes: number;

  constructor({ from, required = true, jwt }: IdentityOptions, verifier: TokenVerifier) {
    this.#verifier = verifier;
    this.#places = placesFrom(from);
    const message = this.#places.find(({ kind }) => kind === "message");
    this.#awaitsMessage = message !== undefined;
    this.#messageMember = message?.name ?? "token";
    this.#isRequired = required;
    this.#maxTokenBytes = jwt.maxTokenBytes ?? defaultJwtLimits.maxTokenBytes;
  }

  async authenticate(request: TokenRequest): Promise<Authentication> {
    const { found, protocols } = findToken(request, this.#places);
    if (found !== undefined) {
      return { kind: "identified", identity: await this.#verifier.verify(found.token), protocols };
    }
    if (this.#awaitsMessage) return { kind: "awaiting_message", protocols };
    if (!this.#isRequired) return { kind: "anonymous", protocols };
    const places = this.#places.map(({ kind, name }) => (kind === "subprotocol" ? kind : `${kind} ${name}`));
    throw new IdentityError("missing", `No token; looked for in: ${places.join(", ")}`);
  }

  async authenticateMessage(message: string | Uint8Array): Promise<Identity> {
    return this.#verifier.verify(tokenFromMessage(message, this.#messageMember, this.#maxTokenBytes));
  }

  close(): void {
    this.#verifier.close();
  }
}
