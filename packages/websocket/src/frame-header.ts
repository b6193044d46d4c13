import { MASKED } from "./opcode.ts";

/** Writes the header of a frame up to its mask (RFC 6455 section 5.2), and answers where it ends. */
export function writeHeader(
  into: Buffer,
  at: number,
  first: number,
  masked: boolean,
  length: number,
): number {
  const flag = masked ? MASKED : 0;
  into[at] = first;
  if (length < 126) {
    into[at + 1] = flag | length;
    return at + 2;
  }
  if (length < 0x1_0000) {
    into[at + 1] = flag | 126;
    into[at + 2] = length >>> 8;
    into[at + 3] = length;
    return at + 4;
  }
  into[at + 1] = flag | 127;
  into.writeUInt32BE(Math.floor(length / 0x1_0000_0000), at + 2);
  into.writeUInt32BE(length >>> 0, at + 6);
  return at + 10;
}
