/** The status codes of RFC 6455 section 7.4.1 and of the IANA registry that followed it. */
export const CloseCode = {
  /** The purpose of the connection is fulfilled. */
  NORMAL: 1000,
  /** The server goes down, or the page was left. */
  GOING_AWAY: 1001,
  /** A frame broke RFC 6455. */
  PROTOCOL_ERROR: 1002,
  /** A kind of data that this endpoint does not take, such as binary. */
  UNSUPPORTED_DATA: 1003,
  /** Never on the wire: the peer's close frame had no code. */
  NO_STATUS: 1005,
  /** Never on the wire: the connection ended without a close frame. */
  ABNORMAL: 1006,
  /** A text that is not UTF-8, or data that does not inflate. */
  INVALID_PAYLOAD: 1007,
  /** A rule of this endpoint was broken, and no other code says which. */
  POLICY_VIOLATION: 1008,
  /** A message over the limit. */
  MESSAGE_TOO_BIG: 1009,
  /** The client needs an extension that the server did not agree to. */
  MANDATORY_EXTENSION: 1010,
  /** The endpoint failed. */
  INTERNAL_ERROR: 1011,
  SERVICE_RESTART: 1012,
  TRY_AGAIN_LATER: 1013,
  BAD_GATEWAY: 1014,
} as const;

/** Whether a code may stand in a close frame: 1000 to 1014 but for 1004 to 1006, and 3000 to 4999. */
export function isWireCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999)
  );
}
