import type { Hub } from "../../src/index.ts";

/** Everything that a hub tells, in order, with sessions by their numbers. */
export function record(hub: Hub): string[] {
  const told: string[] = [];
  hub.onConnect(({ number }) => told.push(`connect ${number}`));
  hub.onDisconnect(({ number }, { code, reason, clean }) =>
    told.push(`disconnect ${number} ${code} ${reason}${clean ? " clean" : ""}`),
  );
  hub.onClose(({ number }, code, reason) => told.push(`close ${number} ${code} ${reason}`));
  hub.onAway(({ number }) => told.push(`away ${number}`));
  hub.onResume(({ number }, { recovered, missedMs }) =>
    told.push(`resume ${number} ${recovered} ${missedMs}`),
  );
  hub.onDrop(({ number }, { reason, room, count }) => told.push(`drop ${number} ${reason} ${room} ${count}`));
  hub.onDrain(({ number }) => told.push(`drain ${number}`));
  hub.onPong(({ number }) => told.push(`pong ${number}`));
  hub.onRoom(({ room, session, change }) => told.push(`room ${room} ${session.number} ${change}`));
  hub.onError((session, error) => told.push(`error ${session?.number ?? "-"} ${String(error)}`));
  return told;
}
