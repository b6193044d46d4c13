/** How a connection was tried, for what may be wrong with it. */
export interface Attempted {
  /** TLS: not at all, without a certificate of the gateway, or with one. */
  readonly tls: "none" | "anonymous" | "identified";
  /** Whether the peer has already spoken HTTP/2. */
  readonly isAgreed: boolean;
}

/** What is most often wrong where a peer hangs up or answers something strange. */
const questions: Readonly<Record<Attempted["tls"], string>> = {
  none: "is it a gRPC server, and does it want TLS (https://)?",
  anonymous:
    "is it a gRPC server with TLS, and does it want to see a certificate (--upstream-cert, tls.cert)?",
  identified:
    "is it a gRPC server with TLS, and does it trust the certificate of the gateway (--upstream-cert, tls.cert)?",
};

const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** What to do about errors that leave no doubt. */
const remedies: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "give the server a new certificate",
  CERT_NOT_YET_VALID: "compare the clocks of both machines",
  ERR_TLS_CERT_ALTNAME_INVALID: "say which name its certificate has (--upstream-server-name, tls.serverName)",
  ERR_SSL_WRONG_VERSION_NUMBER: "it answers without TLS: write http://, and no TLS flags or `tls`",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    "it wants to see a certificate of the gateway (--upstream-cert and --upstream-key, tls.cert and tls.key)",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    "it does not trust the certificate of the gateway (--upstream-cert, tls.cert)",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE:
    "it refuses the certificate of the gateway (--upstream-cert, tls.cert)",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    "the certificate of the gateway has expired (--upstream-cert, tls.cert)",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    "it refuses the certificate of the gateway (--upstream-cert, tls.cert)",
};

/** What the error of a socket or a session says, and what to do, for the person who runs the gateway. */
export function describeConnectionError(error: Error, attempted: Attempted): string {
  if (error instanceof AggregateError && error.message === "") {
    // One error for each address of a name.
    return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join("; ");
  }
  const code = "code" in error ? String(error.code) : "";
  const said = textOf(error, code);
  if (untrusted.has(code))
    return `its certificate is not trusted: ${said}; name its authority (--upstream-ca, tls.ca)`;
  const remedy = remedies[code];
  if (remedy !== undefined) return `${said}; ${remedy}`;
  const isForeign = /^(ERR_HTTP2_|ERR_SSL_|EPROTO|ECONNRESET)/.test(code);
  return isForeign && !attempted.isAgreed ? `${said}; ${questions[attempted.tls]}` : said;
}

/** What is said of a connection that the peer closed without an error. */
export function describeClose({ tls, isAgreed }: Attempted): string {
  return isAgreed
    ? "it closed the connection"
    : `it closed the connection before HTTP/2 was agreed; ${questions[tls]}`;
}

function textOf(error: Error, code: string): string {
  // OpenSSL's message has the line of its source in it, its reason is what a person reads.
  const text =
    "reason" in error && code.startsWith("ERR_SSL_") ? `TLS: ${String(error.reason)}` : error.message;
  return code === "" || text.includes(code) ? text : `${text} (${code})`;
}
