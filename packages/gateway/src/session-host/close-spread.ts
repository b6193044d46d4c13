import { setTimeout as pause } from "node:timers/promises";
import type { Hub } from "@sluice/hub";

/** Of the grace period, this is for closing; the rest is for what closing brings about. */
const share = 0.8;

/** Milliseconds that one session adds to the time over which all are closed, so that few are closed at once. */
const perSessionMs = 10;

/** Milliseconds from one bundle of sessions to the next. */
const stepMs = 50;

/** Ends the sessions of a hub in even bundles over most of `graceMs` milliseconds, or less time where there are few. */
export async function closeSpread(hub: Hub, graceMs: number, code: number, reason: string): Promise<void> {
  const waiting = [...hub.sessions];
  const steps = Math.max(1, Math.floor(Math.min(graceMs * share, waiting.length * perSessionMs) / stepMs));
  const bundle = Math.ceil(waiting.length / steps);
  for (let at = 0; at < waiting.length; at += bundle) {
    if (at > 0) await pause(stepMs);
    for (const session of waiting.slice(at, at + bundle)) session.close(code, reason);
  }
}
