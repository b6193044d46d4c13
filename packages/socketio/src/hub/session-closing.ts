import { CloseCode, type Loss } from "@sluice/hub";
import type { DisconnectReason } from "../server/disconnect-reason.ts";

/** After these a client is to connect again: its connection is closed, because one that only leaves a namespace would not. */
const transient: ReadonlySet<number> = new Set([
  CloseCode.GOING_AWAY,
  CloseCode.INTERNAL,
  1012,
  CloseCode.TRY_AGAIN_LATER,
  CloseCode.UNAUTHENTICATED,
  CloseCode.TIMEOUT,
  CloseCode.TOO_SLOW,
  CloseCode.TOO_MANY,
]);

/** Whether a client whose session is closed with a code is to connect again. */
export function isTransient(code: number): boolean {
  return transient.has(code);
}

/** What the hub is told of a socket that was disconnected: whether its client may come back, or its session is over. */
export function lossFrom(reason: DisconnectReason): Loss {
  if (reason === "parse error") return { code: CloseCode.MALFORMED, reason, clean: true };
  const isFarewell = reason === "client namespace disconnect" || reason === "server namespace disconnect";
  return isFarewell ? { code: CloseCode.NORMAL, reason, clean: true } : { code: 1006, reason, clean: false };
}
