import { createPublicKey, subtle } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { CryptoKey } from "jose";
import { publicKeyAlgorithms, secretAlgorithms, secretBytes, type Algorithm } from "./algorithms.ts";
import { IdentityError } from "./identity-error.ts";
import type { JwtOptions } from "./identity-options.ts";
import { createKeySet, type KeySet } from "./key-set.ts";
import type { KeySource } from "./key-source.ts";
import { quoted } from "./token-header.ts";
import { problemOfSecret } from "./validate-options.ts";

/** Keys that are at hand, with the algorithms that they can be used with. */
export interface LocalKeys extends KeySource {
  readonly algorithms: readonly Algorithm[];
}

/** The secret of the options. Throws an IdentityError `options_invalid`. */
export async function loadSecret(options: JwtOptions): Promise<LocalKeys> {
  const { secret, secretFile } = options;
  const option = secret === undefined ? "secretFile" : "secret";
  const bytes = secret === undefined ? withoutLineEnd(await read(option, secretFile)) : Buffer.from(secret);
  const problem = problemOfSecret(bytes.length, options);
  if (problem !== undefined) throw invalid(option, problem);
  const algorithms = secretAlgorithms.filter((each) => bytes.length >= secretBytes[each]);
  // Made once, and each for its hash only.
  const keys = new Map<string, CryptoKey>();
  for (const alg of algorithms) {
    const hash = `SHA-${alg.slice(2)}`;
    keys.set(alg, await subtle.importKey("raw", bytes, { name: "HMAC", hash }, false, ["verify"]));
  }
  return {
    algorithms,
    find({ alg, kid }) {
      const key = keys.get(alg);
      return key === undefined ? Promise.reject(unknownKey(alg, kid)) : Promise.resolve([key]);
    },
    close: () => undefined,
  };
}

/** The public keys of the options. Throws an IdentityError `options_invalid`. */
export async function loadPublicKeys({ publicKey, publicKeyFile }: JwtOptions): Promise<LocalKeys> {
  const option = publicKey === undefined ? "publicKeyFile" : "publicKey";
  const text = publicKey ?? (await read(option, publicKeyFile)).toString("utf8");
  const keys = parsePublicKeys(option, text);
  const [problem] = keys.problems;
  if (problem !== undefined) throw invalid(option, `cannot be used: ${problem}`);
  const algorithms: Algorithm[] = [];
  for (const alg of publicKeyAlgorithms) {
    if ((await keys.select({ alg, kid: undefined })).length > 0) algorithms.push(alg);
  }
  if (algorithms.length === 0) throw invalid(option, "has no key for signatures of a known kind");
  return {
    algorithms,
    async find(header) {
      const found = await keys.select(header);
      if (found.length === 0) throw unknownKey(header.alg, header.kid);
      return found;
    },
    close: () => undefined,
  };
}

/** The error for a token whose key is none of the known ones. */
export function unknownKey(alg: string, kid: string | undefined): IdentityError {
  const named = kid === undefined ? "without a kid" : `with the kid ${quoted(kid)}`;
  return new IdentityError("unknown_key", `The token is signed with ${alg} ${named}, and no known key fits`);
}

function parsePublicKeys(option: string, text: string): KeySet {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw invalid(
      option,
      "is a private key; give only its public half: openssl pkey -in private.pem -pubout",
    );
  }
  let document: unknown;
  try {
    document = text.trimStart().startsWith("-----BEGIN ")
      ? createPublicKey(text).export({ format: "jwk" })
      : JSON.parse(text);
  } catch {
    // The words of the parsers say less, and may repeat a part of what should not be in a log.
    throw invalid(option, "is neither a public key in PEM (BEGIN PUBLIC KEY) nor a JWK or JWK Set in JSON");
  }
  try {
    return createKeySet(document);
  } catch (error) {
    throw invalid(option, error instanceof Error ? error.message : String(error));
  }
}

async function read(option: string, file = ""): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    throw invalid(option, `${quoted(file)} cannot be read (${why})`, cause);
  }
}

/** An editor ends a line of text; a byte at the end of others is as much of the secret as any. */
function withoutLineEnd(bytes: Buffer): Buffer {
  const line = /^([\x20-\x7e]+)\r?\n$/.exec(bytes.toString("latin1"))?.[1];
  return line === undefined ? bytes : Buffer.from(line, "latin1");
}

function invalid(option: string, what: string, cause?: unknown): IdentityError {
  return new IdentityError("options_invalid", `jwt.${option} ${what}`, { cause, option: `jwt.${option}` });
}
