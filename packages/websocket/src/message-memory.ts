// The global is looked up each time, by a function.
import { Buffer } from "node:buffer";

/** Smaller ones have their memory from Node's pool; larger ones are not kept. */
const LEAST_SPARE_BYTES = 4 * 1024;
const MOST_SPARE_BYTES = 64 * 1024;

/** Memory of a message that nobody uses any more. */
let spare: Buffer | undefined;

/**
 * Gives back the memory of a message, for the next one of about its size on any connection. Fresh memory for each costs more
 * than to copy a message of some KiB. For a handler that has done with the message, which MUST NOT be used in any way
 * from then on, nor given back twice; a message that is not given back is collected as any other memory.
 */
export function giveBack(message: Buffer): void {
  const { length } = message;
  if (length < LEAST_SPARE_BYTES || length > MOST_SPARE_BYTES || message.buffer.byteLength !== length) return;
  spare = message;
}

/** Memory for a message of so many bytes: that of one that was given back, or fresh. */
export function takeMemory(length: number): Buffer {
  const memory = spare;
  if (memory === undefined || length > memory.length || length * 2 < memory.length) {
    return Buffer.allocUnsafe(length);
  }
  spare = undefined;
  return length === memory.length ? memory : memory.subarray(0, length);
}
