import type { WebSocketHandlers } from "./connection.ts";

type Changeable = { -readonly [Name in keyof WebSocketHandlers]: WebSocketHandlers[Name] };

const names: Readonly<Record<keyof WebSocketHandlers, true>> = {
  open: true,
  message: true,
  view: true,
  stream: true,
  ping: true,
  pong: true,
  drain: true,
  close: true,
};

/**
 * A copy of handlers whose functions keep their `this`, so that some can be replaced by ones that do more. What is
 * not there stays absent.
 */
export function boundHandlers(handlers: WebSocketHandlers): Changeable {
  const bound: Record<string, unknown> = {};
  for (const name of Object.keys(names) as (keyof WebSocketHandlers)[]) {
    if (handlers[name] !== undefined) bound[name] = handlers[name].bind(handlers);
  }
  return bound;
}
