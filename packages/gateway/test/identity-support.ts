import {
  createHmac,
  constants,
  generateKeyPairSync,
  sign,
  type JsonWebKey,
  type KeyObject,
} from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Algorithm } from "../src/identity/algorithms.ts";
import type { IdentityLog } from "../src/identity/environment.ts";
import { IdentityError, type IdentityErrorCode } from "../src/identity/identity-error.ts";

/** When these tests take place, in milliseconds since 1970. */
export const start = 1_800_000_000_000;
/** The same in seconds, as claims have it. */
export const startSecond = start / 1000;

/** A log that keeps its lines. */
export class KeptLog implements IdentityLog {
  readonly lines: string[] = [];

  info(fields: object, message: string): void {
    this.lines.push(`info ${message} ${JSON.stringify(fields)}`);
  }

  warn(fields: object, message: string): void {
    this.lines.push(`warn ${message} ${JSON.stringify(fields)}`);
  }
}

/** A check for `assert.rejects` and `assert.throws`. */
export function failsWith(code: IdentityErrorCode, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof IdentityError)) throw error;
    if (error.code === code && (message === undefined || message.test(error.message))) return true;
    throw new Error(`expected ${code} ${String(message ?? "")}, got ${error.code}: ${error.message}`);
  };
}

/** Base64url of bytes, of a text, or of anything else as JSON. */
export function encode(value: unknown): string {
  const bytes = Buffer.isBuffer(value) ? value : typeof value === "string" ? value : JSON.stringify(value);
  return Buffer.from(bytes as string).toString("base64url");
}

/** What a token is signed with: bytes for a secret. */
export type SigningKey = KeyObject | Buffer;

/** Signs with Node's crypto, so that what checks tokens is not tested with itself. */
export function signatureOf(alg: string, key: SigningKey, input: string): Buffer {
  const hash = `sha${alg.slice(2)}`;
  if (Buffer.isBuffer(key)) return createHmac(hash, key).update(input).digest();
  const data = Buffer.from(input);
  if (alg.startsWith("E") && !alg.startsWith("ES")) return sign(null, data, key);
  if (alg.startsWith("ES")) return sign(hash, data, { key, dsaEncoding: "ieee-p1363" });
  if (alg.startsWith("RS")) return sign(hash, data, key);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign(hash, data, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

/** A token; header and claims may be anything, also texts that are not JSON. */
export function makeToken(header: unknown, claims: unknown, key: SigningKey, signedAs?: Algorithm): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const alg = signedAs ?? (header as { alg: string }).alg;
  return `${input}.${signatureOf(alg, key, input).toString("base64url")}`;
}

/** A key pair. */
export interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Pairs of every kind; made once, because RSA takes its time. */
export const pairs = {
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  "P-256": generateKeyPairSync("ec", { namedCurve: "P-256" }),
  "P-384": generateKeyPairSync("ec", { namedCurve: "P-384" }),
  "P-521": generateKeyPairSync("ec", { namedCurve: "P-521" }),
  ed25519: generateKeyPairSync("ed25519"),
} satisfies Record<string, Pair>;

/** The kind of key that each algorithm takes. */
export const kindOf: Readonly<Record<Exclude<Algorithm, `HS${string}`>, keyof typeof pairs>> = {
  RS256: "rsa",
  RS384: "rsa",
  RS512: "rsa",
  PS256: "rsa",
  PS384: "rsa",
  PS512: "rsa",
  ES256: "P-256",
  ES384: "P-384",
  ES512: "P-521",
  EdDSA: "ed25519",
  Ed25519: "ed25519",
};

export const pemOf = ({ publicKey }: Pair): string =>
  publicKey.export({ type: "spki", format: "pem" }).toString();
export const jwkOf = ({ publicKey }: Pair, more: JsonWebKey = {}): JsonWebKey => ({
  ...publicKey.export({ format: "jwk" }),
  ...more,
});

/** An HTTP server for key sets. */
export interface KeyServer {
  readonly url: string;
  /** How often it was asked. */
  readonly asked: number;
  /** What it answers from now on: a document, or anything. */
  answer(next: object | RequestListener): void;
  /** The next request that it gets, as soon as it has come. */
  request(): Promise<IncomingMessage>;
  close(): Promise<void>;
}

export async function startKeyServer(first: object | RequestListener): Promise<KeyServer> {
  let answer = first;
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    if (typeof answer === "function") (answer as RequestListener)(request, response);
    else response.end(JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    get asked() {
      return asked;
    },
    answer: (next) => void (answer = next),
    request: async () => ((await once(server, "request")) as [IncomingMessage])[0],
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
