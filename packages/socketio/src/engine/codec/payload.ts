import type { ReceivedPacket } from "./packet.ts";

/** Reads the packets of a payload one by one, so that a reader who stops pays for no more. */
export interface PayloadReader {
  /** The next packet; undefined behind the last. Throws `packet_invalid`. */
  next(): ReceivedPacket | undefined;
}
