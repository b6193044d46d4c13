import type { HistoryBounds } from "@sluice/hub";

/** How long the histories of the suite are kept. */
export const ttlMs = 2000;
/** How much of a room is kept, where anything is. */
export const history: HistoryBounds = { size: 100, ttlMs };
let rooms = 0;

/** A room that no other test has. */
export function newRoom(): string {
  return `suite:${process.pid}:${Date.now()}:${rooms++}`;
}
