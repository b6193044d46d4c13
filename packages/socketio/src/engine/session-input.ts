import type { SessionState } from "./session-state.ts";

/** Stops reading from the client. */
export function pauseReading(state: SessionState): void {
  if (state.name === "websocket") state.connection.pause();
  else if (state.name !== "closed") state.transport.pause();
}

/** Reads on. */
export function resumeReading(state: SessionState): void {
  if (state.name === "websocket") state.connection.resume();
  else if (state.name !== "closed") state.transport.resume();
}
