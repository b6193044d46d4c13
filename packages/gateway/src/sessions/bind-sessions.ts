import { Code } from "@sluice/protocol";
import { createStatus } from "@sluice/rpc";
import type { Hub } from "@sluice/hub";
import type { SessionCallbacks } from "./callbacks/session-callbacks.ts";
import { refusalFrom } from "./client-status.ts";
import type { EventMethods } from "./event-methods.ts";
import type { PacketMethods } from "./packet-methods.ts";

/** Who takes what clients say, in this order. */
export interface SessionBackends {
  readonly events?: EventMethods | undefined;
  readonly packets?: PacketMethods | undefined;
  readonly callbacks?: SessionCallbacks | undefined;
}

/** Serves a hub, once and before it has sessions. A message that nobody takes is refused with UNIMPLEMENTED. */
export function bindSessions(hub: Hub, { events, packets, callbacks }: SessionBackends): void {
  callbacks?.bind(hub);
  hub.onDisconnect((session) => events?.ended(session));
  hub.onReceive((session, message, answer) => {
    if (session.face === "socketio" && events?.receive(session, message, answer) === true) return;
    if (packets?.receive(session, message, answer) || callbacks?.receive(session, message, answer)) return;
    answer(refusalFrom(createStatus(Code.UNIMPLEMENTED, "nobody takes this message"), message.type));
  });
}
