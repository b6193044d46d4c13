import { DeadlineQueue } from "@sluice/hub";
import type { Clock } from "@sluice/websocket";
import type { PacketEncoder } from "./custom-parser.ts";
import { EventRate } from "./event-rate.ts";
import type { IncomingEvents } from "./incoming-events.ts";
import type { ServerCounts } from "./server-counts.ts";
import type { ServerLimits } from "./server-options.ts";

/** What all sockets of a server share. */
export interface SocketHost {
  readonly limits: ServerLimits;
  readonly counts: ServerCounts;
  readonly clock: Clock;
  readonly encoder: PacketEncoder;
  /** How often a connection may send events. */
  readonly rate: EventRate;
  /** Forgets events that came before a listener and have waited too long. */
  readonly early: DeadlineQueue<IncomingEvents>;
}

/** The server whose sockets they are. */
export interface SocketServer {
  readonly opts: { readonly limits: ServerLimits; readonly clock: Clock };
  readonly counts: ServerCounts;
  readonly encoder: PacketEncoder;
}

/** What the sockets of a server share. */
export function createSocketHost({ opts: { limits, clock }, counts, encoder }: SocketServer): SocketHost {
  return {
    limits,
    counts,
    clock,
    encoder,
    rate: new EventRate(limits.eventsPerSecond, limits.eventBurst, clock),
    early: new DeadlineQueue(limits.earlyEventMs, clock, (events) => events.forgetEarly()),
  };
}
