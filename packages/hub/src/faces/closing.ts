import type { Refusal } from "../attachment.ts";
import { CloseCode } from "../close-code.ts";
import { HubError } from "../hub-error.ts";

/** The close code of RFC 6455 for a kind of message that is not taken. */
export const unsupportedData = 1003;

/** Bytes of a reason in a close frame (RFC 6455 section 5.5.1). */
const maxReasonBytes = 123;

/** A reason that fits into a close frame: as it is, or cut behind a whole character. */
export function fittingReason(reason: string): string {
  if (reason.length * 3 <= maxReasonBytes) return reason;
  const bytes = Buffer.from(reason);
  if (bytes.length <= maxReasonBytes) return bytes.toString();
  let end = maxReasonBytes;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

/** How a client is closed that is not identified, given what `Identify` rejected with. */
export function unidentified(error: unknown): Refusal {
  if (!(error instanceof HubError)) {
    return { code: CloseCode.UNAUTHENTICATED, reason: "the token is not valid" };
  }
  const code = error.code === "UNAVAILABLE" ? CloseCode.TRY_AGAIN_LATER : CloseCode.UNAUTHENTICATED;
  return { code, reason: error.message };
}

/** How a client is closed for whom the hub could not do something, where its wire has no words for that. */
export function closingFromError(error: unknown): Refusal {
  if (!(error instanceof HubError)) return { code: CloseCode.INTERNAL, reason: "the server failed" };
  return { code: closeCodeOf(error), reason: error.message };
}

function closeCodeOf({ code }: HubError): number {
  switch (code) {
    case "INVALID_ARGUMENT":
      return CloseCode.MALFORMED;
    case "PERMISSION_DENIED":
      return CloseCode.DENIED;
    case "RESOURCE_EXHAUSTED":
      return CloseCode.TOO_MANY;
    case "UNAVAILABLE":
      return CloseCode.TRY_AGAIN_LATER;
    case "NOT_FOUND":
    case "FAILED_PRECONDITION":
    case "ABORTED":
      return CloseCode.INTERNAL;
  }
}
