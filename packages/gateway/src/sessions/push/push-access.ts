import { createHash, timingSafeEqual } from "node:crypto";
import { Code } from "@sluice/protocol";
import { createStatus, type Metadata, type Status } from "@sluice/rpc";

/** Who may use the push API. */
export interface PushAccess {
  /** Tokens, any of which a caller has to send; "none" only for a port that nobody else reaches. */
  readonly tokens: readonly string[] | "none";
  /** The origins of the pages that may call, such as `https://admin.example.com`. Default: calls of browsers are refused. */
  readonly origins?: readonly string[];
}

const unauthenticated = createStatus(
  Code.UNAUTHENTICATED,
  "the push API needs the metadata authorization: Bearer, with a token of this gateway",
);

/** Looks at the metadata of calls. */
export class PushGuard {
  readonly #tokens: readonly Buffer[] | undefined;
  readonly #origins: ReadonlySet<string>;

  /** Throws a RangeError for a list of tokens without one, or with an empty one. */
  constructor({ tokens, origins = [] }: PushAccess) {
    if (tokens !== "none" && (tokens.length === 0 || tokens.includes(""))) {
      throw new RangeError("the push API has no token, or an empty one: give it one, or a port of its own");
    }
    this.#tokens = tokens === "none" ? undefined : tokens.map(digest);
    this.#origins = new Set(origins);
  }

  /** Why a call is refused; undefined for one that is allowed. */
  refusal(metadata: Metadata): Status | undefined {
    // REST has what came as headers under other names than the other dialects, and lets a page name the first one itself.
    for (const name of ["origin", "grpcgateway-origin"]) {
      const origin = metadata[name];
      if (origin !== undefined && (typeof origin !== "string" || !this.#origins.has(origin))) {
        return createStatus(Code.PERMISSION_DENIED, `pages of ${String(origin)} may not use the push API`);
      }
    }
    if (this.#tokens === undefined) return undefined;
    const { authorization } = metadata;
    const given =
      typeof authorization === "string" ? /^bearer +(\S+) *$/i.exec(authorization)?.[1] : undefined;
    return given !== undefined && this.#knows(digest(given)) ? undefined : unauthenticated;
  }

  /** Takes the same time for each token that may be sent. */
  #knows(given: Buffer): boolean {
    let isKnown = false;
    for (const token of this.#tokens ?? []) isKnown = timingSafeEqual(token, given) || isKnown;
    return isKnown;
  }
}

// Of one length, which timingSafeEqual needs.
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
