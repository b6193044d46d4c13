import { CloseCode, HubError, type Identify, type KnownClient } from "@sluice/hub";
import { readBearerProtocols } from "@sluice/rpc";
import type { Authenticator } from "../identity/authenticator.ts";
import { findToken, type TokenRequest } from "../identity/find-token.ts";
import { IdentityError } from "../identity/identity-error.ts";
import { placesFrom } from "../identity/token-place.ts";
import type { SessionCallbacks } from "../sessions/callbacks/session-callbacks.ts";

/** Who a client is that asks for a connection; or why it gets none. */
export type Recognition =
  | { readonly kind: "known"; readonly client: KnownClient }
  | {
      readonly kind: "refused";
      /** A close code. */
      readonly code: number;
      /** For the client. */
      readonly reason: string;
      /** For the log. */
      readonly cause: string;
    };

/** Finds out who clients are. */
export interface ClientIdentity {
  /** Who sends a request. Rejects with what is no fault of the client. */
  recognize(request: TokenRequest): Promise<Recognition>;
  /** Who has a token that comes in a message; undefined: no tokens are taken. */
  readonly identify: Identify | undefined;
}

/** By the tokens that an authenticator knows. */
export function identityByTokens(authenticator: Authenticator): ClientIdentity {
  return {
    recognize: async (request) => {
      try {
        const found = await authenticator.authenticate(request);
        if (found.kind === "identified") return known({ identity: found.identity });
        return known(found.kind === "awaiting_message" ? { awaitsToken: true } : {});
      } catch (error) {
        return refusalFrom(error);
      }
    },
    identify: async (token) => {
      try {
        return await authenticator.authenticateMessage(token);
      } catch (error) {
        throw hubErrorFrom(error);
      }
    },
  };
}

/** By the Connect callback, which is given the token; the places are those of headers, as nothing else was said. */
export function identityByCallback(callbacks: SessionCallbacks): ClientIdentity {
  const places = placesFrom();
  return {
    recognize: async (request) => {
      try {
        const { found } = findToken(request, places);
        return known(found === undefined ? {} : { identity: await callbacks.identify(found.token) });
      } catch (error) {
        return refusalFrom(error);
      }
    },
    // What the backend has said of a session holds for as long as the session.
    identify: (token, session) =>
      session === undefined
        ? callbacks.identify(token)
        : Promise.reject(
            new HubError(
              "PERMISSION_DENIED",
              "the backend decides who a client is: connect again with the token",
            ),
          ),
  };
}

/** Nobody is anybody. */
export const nobodyKnown: ClientIdentity = {
  recognize: () => Promise.resolve(known({})),
  identify: undefined,
};

/**
 * The subprotocol to answer to a client whose face knows none of those that it offers, but which offers some to carry a
 * token: browsers close a WebSocket whose subprotocols are not answered. Never one that is a token.
 */
export function subprotocolBesideToken(header: string | undefined): string | undefined {
  const { protocols, tokens } = readBearerProtocols(header);
  if (tokens.length === 0) return undefined;
  return protocols.includes("Bearer") ? "Bearer" : protocols[0];
}

function known(client: KnownClient): Recognition {
  return { kind: "known", client };
}

function refusalFrom(error: unknown): Recognition {
  if (!(error instanceof IdentityError)) throw error;
  return {
    kind: "refused",
    code: closeCodeOf(error),
    reason: error.publicMessage,
    cause: `${error.message} (${error.code})`,
  };
}

function closeCodeOf({ code }: IdentityError): number {
  return code === "keys_unavailable" ? CloseCode.TRY_AGAIN_LATER : CloseCode.UNAUTHENTICATED;
}

/** What a face may show to the client. */
function hubErrorFrom(error: unknown): unknown {
  if (!(error instanceof IdentityError)) return error;
  const code = error.code === "keys_unavailable" ? "UNAVAILABLE" : "PERMISSION_DENIED";
  return new HubError(code, error.publicMessage, { cause: error });
}
