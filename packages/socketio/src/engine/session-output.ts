import { type MessageData, type Packet, PacketType } from "./codec/packet.ts";
import { EngineMessage } from "./engine-message.ts";
import type { SessionState } from "./session-state.ts";
import { sendMessage, sendPacket } from "./websocket/send-packet.ts";

/** Bytes that wait for the client from which on a session asks to be sent no more for now. */
const HIGH_WATER_MARK = 64 * 1024;

/** Whether a message would leave at once, with nothing before it. */
export function isWritable(state: SessionState): boolean {
  if (state.name === "websocket") return state.connection.bufferedAmount === 0;
  return (state.name === "polling" || state.name === "upgrading") && state.transport.writable;
}

/** Bytes that wait for the client. */
export function bufferedBytesOf(state: SessionState): number {
  if (state.name === "websocket") return state.connection.bufferedAmount;
  return state.name === "closed" ? 0 : state.transport.bufferedBytes;
}

/** Sends a message to a client that is not being parted with, and answers whether to go on. */
export function writeMessage(
  state: SessionState,
  message: MessageData | EngineMessage,
  compress: boolean,
): boolean {
  if (state.name === "closed" || state.name === "closing") return false;
  if (state.name === "websocket" && message instanceof EngineMessage && compress) {
    return sendMessage(state, message);
  }
  const packet = {
    type: PacketType.MESSAGE,
    data: message instanceof EngineMessage ? message.data : message,
  };
  if (state.name === "websocket") return sendPacket(state, packet, compress);
  state.transport.send(packet, compress);
  return state.transport.bufferedBytes < HIGH_WATER_MARK;
}

/** Sends a packet of any type, to a client that is being parted with too. */
export function writePacket(state: SessionState, packet: Packet): void {
  if (state.name === "websocket") sendPacket(state, packet, true);
  else if (state.name !== "closed") state.transport.send(packet, true);
}
