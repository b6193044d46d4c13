/** The bytes that a secret must have at least, for each algorithm that takes one. Source: RFC 7518, section 3.2. */
export const secretBytes = { HS256: 32, HS384: 48, HS512: 64 } as const;

/** The algorithms with a secret. Source: RFC 7518, section 3.2. */
export type SecretAlgorithm = keyof typeof secretBytes;
export const secretAlgorithms = Object.keys(secretBytes) as readonly SecretAlgorithm[];

/**
 * The algorithms with a key pair. `EdDSA` is its older name, with Ed25519 as the only curve.
 * Source: RFC 7518, sections 3.3 to 3.5; RFC 8037, section 3.1; RFC 9864.
 */
export const publicKeyAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;
export type PublicKeyAlgorithm = (typeof publicKeyAlgorithms)[number];

/** The algorithms with which a token may be signed. There is no `none`. */
export type Algorithm = SecretAlgorithm | PublicKeyAlgorithm;
