import type { AnyListener } from "./typed-events.ts";

/** Takes a listener out of those that there are; all where none is named. */
export function removeListener(listeners: AnyListener[], listener: AnyListener | undefined): void {
  if (listener === undefined) listeners.length = 0;
  else if (listeners.includes(listener)) listeners.splice(listeners.indexOf(listener), 1);
}
