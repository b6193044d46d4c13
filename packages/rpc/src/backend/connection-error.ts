const foreign = "; is it a gRPC server, and TLS set as it wants?";

const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/**
 * What the error of a socket or a session says, for the person who runs the gateway. `isAgreed` tells whether the
 * peer has already spoken HTTP/2; as long as it has not, the text says what is most often wrong.
 */
export function describeConnectionError(error: Error, isAgreed: boolean): string {
  if (error instanceof AggregateError && error.message === "") {
    // One error for each address of a name.
    return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join("; ");
  }
  const code = "code" in error ? String(error.code) : "";
  const said = textOf(error, code);
  if (untrusted.has(code)) return `its certificate is not trusted: ${said}; name its authority (ca)`;
  const isForeign = /^(ERR_HTTP2_|ERR_SSL_|EPROTO|ECONNRESET)/.test(code);
  return isForeign && !isAgreed ? `${said}${foreign}` : said;
}

/** What is said of a connection that the peer closed without an error. */
export function describeClose(isAgreed: boolean): string {
  return isAgreed
    ? "it closed the connection"
    : `it closed the connection before HTTP/2 was agreed${foreign}`;
}

function textOf(error: Error, code: string): string {
  // OpenSSL's message has the line of its source in it, its reason is what a person reads.
  const text =
    "reason" in error && code.startsWith("ERR_SSL_") ? `TLS: ${String(error.reason)}` : error.message;
  return code === "" || text.includes(code) ? text : `${text} (${code})`;
}
