import { createSecureContext, type SecureContext } from "node:tls";
import { RpcError } from "../error.ts";
import type { BackendTlsOptions } from "./options.ts";

/** TLS options, ready for connections. */
export interface ResolvedTls {
  readonly context: SecureContext;
  readonly servername: string | undefined;
  /** Whether the gateway has a certificate to show. */
  readonly hasCertificate: boolean;
}

const certificate = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;

/**
 * Reads the certificates and the key of TLS options. Throws RpcError `tls_invalid` for what is none, and for a key of
 * another certificate.
 */
export function resolveTls({ ca, cert, key, servername }: BackendTlsOptions): ResolvedTls {
  if ((cert === undefined) !== (key === undefined)) throw invalid("a certificate and its key go together");
  for (const each of [ca ?? []].flat()) {
    // Node would leave it out without a word.
    if (!certificate.test(each.toString()))
      throw invalid("an authority to trust (ca) is not a PEM certificate");
  }
  let context: SecureContext;
  try {
    context = createSecureContext({
      ...(ca === undefined ? {} : { ca: [ca].flat() }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
  } catch (cause) {
    const reason = cause instanceof Error && "reason" in cause ? String(cause.reason) : String(cause);
    throw invalid(`the certificate (cert) and its key do not serve: ${reason}`, cause);
  }
  return { context, servername, hasCertificate: cert !== undefined };
}

function invalid(what: string, cause?: unknown): RpcError {
  return new RpcError("tls_invalid", `TLS with the backend: ${what}`, cause);
}
