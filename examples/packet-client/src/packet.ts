// The layout of sluice.packet.v1: type, length and who, four bytes each, big-endian; then `length` bytes of content. A binary
// WebSocket message has one packet or more, each whole.

/** One packet. */
export interface Packet {
  /** What it is; what the numbers mean is the application's. */
  readonly type: number;
  /** To whom on the way to the server (0: the server itself), from whom on the way back (0: the server). */
  readonly who: number;
  readonly content: Uint8Array;
}

const headerBytes = 12;

/** Packets as one message. */
export function encodePackets(packets: readonly Packet[]): Uint8Array<ArrayBuffer> {
  const size = packets.reduce((sum, { content }) => sum + headerBytes + content.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { type, who, content } of packets) {
    view.setUint32(at, type);
    view.setUint32(at + 4, content.length);
    view.setUint32(at + 8, who);
    bytes.set(content, at + headerBytes);
    at += headerBytes + content.length;
  }
  return bytes;
}

/** The packets of a message. Throws a RangeError where it ends within one. */
export function decodePackets(message: ArrayBuffer): Packet[] {
  const view = new DataView(message);
  const packets: Packet[] = [];
  let at = 0;
  while (at < message.byteLength) {
    const content = new Uint8Array(message, at + headerBytes, view.getUint32(at + 4));
    packets.push({ type: view.getUint32(at), who: view.getUint32(at + 8), content });
    at += headerBytes + content.length;
  }
  return packets;
}
