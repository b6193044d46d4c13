import { CloseCode } from "@sluice/hub";

/** Codes below 3000 that an endpoint may send and that say something (RFC 6455, section 7.4). */
const sayable: ReadonlySet<number> = new Set([1000, 1001, 1008, 1011, 1012, 1013]);

/** The most bytes of a reason that fit into a close frame (RFC 6455, section 5.5.1). */
export const maxReasonBytes = 123;

/** Whether a backend may close a session with a code; 0 stands for a default. */
export function isSayableCloseCode(code: number): boolean {
  return code === 0 || sayable.has(code) || (code >= 3000 && code <= 4999);
}

/** A code that may be sent: the given one, or the default in the place of 0 and of what may not be sent. */
export function closeCodeOr(code: number, otherwise: number = CloseCode.NORMAL): number {
  return code !== 0 && isSayableCloseCode(code) ? code : otherwise;
}

/** A reason that fits into a close frame: cut between characters where it is too long. */
export function fittingReason(reason: string): string {
  if (Buffer.byteLength(reason) <= maxReasonBytes) return reason;
  // `stream` leaves out a character that is cut.
  return new TextDecoder().decode(Buffer.from(reason).subarray(0, maxReasonBytes), { stream: true });
}
