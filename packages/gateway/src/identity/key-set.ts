import { createPublicKey, type JsonWebKey } from "node:crypto";
import { createLocalJWKSet, errors, type CryptoKey, type JWK } from "jose";
import type { TokenHeader } from "./token-header.ts";

/** Public keys that signatures are checked with. */
export interface KeySet {
  /** How many keys can be used. */
  readonly size: number;
  /** Why keys were left out, a sentence for each. */
  readonly problems: readonly string[];
  /** The keys that fit the algorithm, and the `kid` where the keys have any; several where the token names none. */
  select(header: TokenHeader): Promise<readonly CryptoKey[]>;
}

/** Keys that a set may have: a token that names none is tried with each. */
const maximumKeys = 100;
/** Bits that the modulus of an RSA key must have. Source: RFC 7518, section 3.3. */
const minimumRsaBits = 2048;
/** The members that only private keys have. Source: RFC 7518, section 6.2.2; RFC 8037, section 2. */
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "priv"];

/**
 * The keys of a JWK Set (RFC 7517, section 5), or of one JWK. Those that are private, secret, too weak or broken are left
 * out, as are those for encryption. Throws an Error with a sentence for what is neither.
 */
export function createKeySet(document: unknown): KeySet {
  const listed = isObject(document) && "keys" in document ? document["keys"] : [document];
  if (!Array.isArray(listed)) throw new Error("has keys that are not a list");
  if (listed.length > maximumKeys)
    throw new Error(`has ${listed.length} keys, over the limit of ${maximumKeys}`);
  const problems: string[] = [];
  const keys: JWK[] = [];
  for (const [at, key] of listed.entries()) {
    const problem = isObject(key) ? problemOf(key) : "is not a JSON object";
    if (problem !== undefined) problems.push(`key ${at + 1} ${problem}`);
    else if (isForSignatures(key)) keys.push(key as JWK);
  }
  const local = createLocalJWKSet({ keys });
  // Keys without a name cannot be asked for by name; there is often only one.
  const areNamed = keys.some(({ kid }) => kid !== undefined);
  return {
    size: keys.length,
    problems,
    async select({ alg, kid }) {
      try {
        return [await local(areNamed && kid !== undefined ? { alg, kid } : { alg })];
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey) return [];
        if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
        const several: CryptoKey[] = [];
        for await (const key of error) several.push(key);
        return several;
      }
    },
  };
}

/** Why a key must not be used, as the rest of a sentence; undefined where it may be. */
function problemOf(key: Readonly<Record<string, unknown>>): string | undefined {
  if (key["kty"] === "oct") return "is a secret, not a public key";
  if (privateMembers.some((member) => member in key)) {
    return "is a private key, and known to others now: replace it, and give only its public half";
  }
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: key as JsonWebKey, format: "jwk" });
    const bits = asymmetricKeyDetails?.modulusLength ?? minimumRsaBits;
    if (bits < minimumRsaBits) return `is an RSA key of ${bits} bits, and needs ${minimumRsaBits} at least`;
  } catch {
    return "is broken, or of a kind that is not known";
  }
  return undefined;
}

/** Source: RFC 7517, sections 4.2 and 4.3. */
function isForSignatures({
  use = "sig",
  key_ops: operations = ["verify"],
}: Readonly<Record<string, unknown>>): boolean {
  return use === "sig" && Array.isArray(operations) && operations.includes("verify");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
