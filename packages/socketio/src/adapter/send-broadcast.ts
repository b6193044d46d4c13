import { EngineMessage } from "../engine/engine-message.ts";
import type { Packet } from "../parser/packet.ts";
import type { AnySocket } from "../server/socket.ts";
import type { Adapter } from "./adapter.ts";
import { forEachAddressed } from "./addressed.ts";
import type { BroadcastOptions } from "./broadcast-options.ts";

/** What a broadcast is made of. */
export interface Broadcast {
  readonly packet: Packet;
  readonly options: BroadcastOptions;
  /** The packet as messages, where it was encoded already. */
  readonly messages?: readonly (string | Uint8Array)[];
  /** Called for each socket before the packet is sent to it. */
  readonly before?: (socket: AnySocket) => void;
}

/**
 * Sends a packet to those sockets of this server who are meant, and answers how many they are. It is encoded once, and not
 * at all where nobody is meant.
 */
export function sendBroadcast(adapter: Adapter, { packet, options, messages, before }: Broadcast): number {
  const { volatile = false, compress = true } = options.flags ?? {};
  const { counts, encoder } = adapter.nsp.server;
  let encoded: readonly EngineMessage[] | undefined;
  let sent = 0;
  forEachAddressed(adapter, options, (socket) => {
    const all = (encoded ??= (messages ?? encoder.encode(packet)).map((data) => new EngineMessage(data)));
    sent++;
    before?.(socket);
    socket.notifyOutgoingListeners(packet);
    const { conn } = socket.client;
    const [first] = all;
    if (volatile && !conn.writable) counts.dropped.volatile++;
    else if (all.length === 1 && first !== undefined) conn.send(first, compress);
    else conn.sendAll(all, compress);
  });
  return sent;
}
