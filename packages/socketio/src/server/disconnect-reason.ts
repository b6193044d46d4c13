import type { CloseReason } from "../engine/close-reason.ts";

/**
 * Why a socket was disconnected. Beside what ends a connection:
 * - `client namespace disconnect`: the client left the namespace
 * - `server namespace disconnect`: `socket.disconnect()`
 * - `forced server close`: the server closed the connection: `socket.disconnect(true)`, a limit or a broken rule
 * - `server shutting down`: `server.close()`
 */
export type DisconnectReason =
  | CloseReason
  | "client namespace disconnect"
  | "server namespace disconnect"
  | "forced server close"
  | "server shutting down";

/** After these the client may come back, where connection states are recovered. */
export const recoverableReasons: ReadonlySet<DisconnectReason> = new Set([
  "transport error",
  "transport close",
  "forced close",
  "ping timeout",
  "server shutting down",
  "forced server close",
]);
