/**
 * The codes with which sessions are closed, beside those of RFC 6455 section 7.4.1: 4000 and the HTTP status that says
 * the same.
 */
export const CloseCode = {
  /** The session is over as it should be. */
  NORMAL: 1000,
  /** The server goes away; connect anew. */
  GOING_AWAY: 1001,
  /** A message of the client is larger than it may be. */
  TOO_BIG: 1009,
  /** Something failed in the server. */
  INTERNAL: 1011,
  /** There is no room for another session now; connect again later. */
  TRY_AGAIN_LATER: 1013,
  /** What the client said is not of the wire that was agreed. */
  MALFORMED: 4400,
  /** The client is not, or no longer, identified. */
  UNAUTHENTICATED: 4401,
  /** The client may not do this. */
  DENIED: 4403,
  /** The client did not say in time who it is. */
  TIMEOUT: 4408,
  /** Another connection took the session over. */
  REPLACED: 4409,
  /** The session that was to be resumed is not here any more, or not everything that was missed is. */
  GONE: 4410,
  /** The client reads more slowly than it is told things. */
  TOO_SLOW: 4413,
  /** The client says more than it may. */
  TOO_MANY: 4429,
} as const;

/**
 * Checks that a code and a reason can stand in a close frame (RFC 6455 section 7.4): 1000 to 1003, 1007 to 1014, 3000 to
 * 4999, and 123 bytes. Throws a RangeError.
 */
export function validateClose(code: number, reason: string): void {
  const isSendable =
    Number.isInteger(code) &&
    ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999));
  if (!isSendable) throw new RangeError(`${code} is no close code that can be sent.`);
  const bytes = Buffer.byteLength(reason);
  if (bytes > 123) throw new RangeError(`A reason to close has at most 123 bytes; this one has ${bytes}.`);
}
