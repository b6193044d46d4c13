/** What a client did that its wire does not allow, and how its session is therefore closed. */
export interface Violation {
  /** A close code, one of `CloseCode` or of RFC 6455. */
  readonly code: number;
  /** What is wrong and what would be right: one sentence. */
  readonly reason: string;
}

/** Whether something is a violation, not what was asked for. */
export function isViolation(value: object): value is Violation {
  return "reason" in value && "code" in value;
}
