import { readFileSync } from "node:fs";

/** A certificate with its private key, both as PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** What TLS tests need; every certificate but one is signed by `ca` and valid until 2126. */
export interface TestCertificates {
  /** The authority that a client has to trust, as PEM. */
  readonly ca: string;
  /** For localhost, 127.0.0.1, ::1 and *.sluice.test. */
  readonly server: KeyPair;
  /** For client authentication. */
  readonly client: KeyPair;
  /** For localhost, signed by itself, valid until 2020-02-01. */
  readonly expired: KeyPair;
}

function read(name: string): string {
  return readFileSync(new URL(`../certificates/${name}`, import.meta.url), "utf8");
}

/** Reads the certificates of the tests. The authority's own key was thrown away. */
export function testCertificates(): TestCertificates {
  return {
    ca: read("ca.pem"),
    server: { cert: read("server.pem"), key: read("server.key") },
    client: { cert: read("client.pem"), key: read("client.key") },
    expired: { cert: read("expired.pem"), key: read("expired.key") },
  };
}
