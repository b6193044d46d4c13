import type { CryptoKey } from "jose";
import type { TokenHeader } from "./token-header.ts";

/** Where the keys are found that a token may have been signed with. */
export interface KeySource {
  /**
   * The keys that the header of a token lets try; one at least. A source MUST NOT give a public key for an algorithm that
   * takes a secret. Rejects with an IdentityError `unknown_key` or `keys_unavailable`.
   */
  find(header: TokenHeader): Promise<readonly CryptoKey[]>;
  /** Ends what is under way. */
  close(): void;
}
