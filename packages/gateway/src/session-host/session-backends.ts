import { EventMethods } from "../sessions/event-methods.ts";
import { PacketMethods } from "../sessions/packet-methods.ts";
import { SessionCallbacks } from "../sessions/callbacks/session-callbacks.ts";
import { SessionQueues } from "../sessions/session-queues.ts";
import type { Session } from "@sluice/hub";
import type { DirectorySource, Metadata } from "@sluice/rpc";
import type { Logger } from "../log.ts";
import { logCallbackReport } from "./log-callback-report.ts";
import type { BackendByName, SessionHostOptions } from "./options.ts";

/** What sessions are told to: both keep the order of each session together. */
export interface SessionBackends {
  readonly events: EventMethods | undefined;
  readonly callbacks: SessionCallbacks | undefined;
  readonly packets: PacketMethods | undefined;
}

/** Where the backends of sessions are found. */
export interface SessionBackendSources {
  readonly backend: BackendByName;
  /** The methods of all backends, for packets and events. */
  readonly methods: DirectorySource;
  /** What a backend is told of the client of an event. */
  readonly metadata: (session: Session) => Metadata;
  readonly log: Logger;
}

/** The callbacks and the packets that are calls, as far as the options have them. Throws a RangeError for an unknown backend. */
export function createSessionBackends(
  { callbacks: hosted, packetTypes = {}, socketio }: SessionHostOptions,
  { backend: byName, methods, metadata, log }: SessionBackendSources,
): SessionBackends {
  const queues = new SessionQueues();
  let callbacks: SessionCallbacks | undefined;
  if (hosted !== undefined) {
    const { backend: name, ...options } = hosted;
    const backend = byName(name);
    if (backend === undefined)
      throw new RangeError(`callbacks.backend is ${name}, and no backend is called that`);
    callbacks = new SessionCallbacks({
      ...options,
      backend,
      queues,
      report: (report) => logCallbackReport(log, name, report),
    });
  }
  const events =
    socketio === undefined
      ? undefined
      : new EventMethods({
          methods,
          metadata,
          report: (session, path, { message }) =>
            log.info({ session: session.id }, `an event for ${path} failed: ${message}`),
        });
  if (Object.keys(packetTypes).length === 0) return { events, callbacks, packets: undefined };
  const packets = new PacketMethods({
    types: packetTypes,
    methods,
    queues,
    report: (session, path, { message }) =>
      log.info({ session: session.id }, `a packet for ${path} failed: ${message}`),
  });
  return { events, callbacks, packets };
}
