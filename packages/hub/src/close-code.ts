/**
 * The codes with which sessions are closed, beside those of RFC 6455 section 7.4.1: 4000 and the HTTP status that says
 * the same.
 */
export const CloseCode = {
  /** The session is over as it should be. */
  NORMAL: 1000,
  /** The server goes away; connect anew. */
  GOING_AWAY: 1001,
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
