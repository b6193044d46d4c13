/** Shorter messages have memory of Node's pool. */
const leastBytes = 2 * 1024;
const mostBytes = 64 * 1024;
const mostOfASize = 16;

/** Memory of messages that are gone, by the power of two that its size is, the last one last; at most 2 MiB. */
const spare: Uint8Array[][] = Array.from({ length: 17 }, () => []);

/** The power of two that is not less than a length. */
function powerOf(length: number): number {
  return 32 - Math.clz32(length - 1);
}

/**
 * Memory for a message of at most 64 KiB that is gone as soon as whoever gets it has returned; it may be larger, by half of
 * it at most. Fresh memory for each would be cold, and collected in the end, which costs more than to copy a message of
 * some KiB.
 */
export function takeMemory(length: number): Uint8Array {
  if (length <= leastBytes) return Buffer.allocUnsafe(length);
  const power = powerOf(length);
  return spare[power]?.pop() ?? Buffer.allocUnsafeSlow(2 ** power);
}

/** Gives back what came from `takeMemory`, to which nothing refers any more; other memory is left alone. */
export function giveMemory(memory: Uint8Array): void {
  const { length } = memory;
  if (length <= leastBytes || length > mostBytes) return;
  const ofSize = spare[powerOf(length)];
  if (length === 2 ** powerOf(length) && ofSize !== undefined && ofSize.length < mostOfASize)
    ofSize.push(memory);
}
