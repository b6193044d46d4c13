import type { JsonObject } from "@sluice/rpc";

/** Who a client is, as its token says: plain data, the same on every face. */
export interface Identity {
  /** The user, from the claim `sub` or the one that `JwtOptions.userClaim` names; never empty. */
  readonly user: string;
  /** All claims of the token, as `JSON.parse` made them. */
  readonly claims: Readonly<JsonObject>;
  /**
   * From when on the token is worth nothing, in milliseconds since 1970: its claim `exp`, and the tolerance for clocks.
   * Absent where the token never expires.
   */
  readonly expiresAt?: number;
}
