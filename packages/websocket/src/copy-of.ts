/** So few are copied sooner one by one. */
const FEW_BYTES = 128;

/** The bytes of a chunk from `at` to `end` in memory of their own, which may be a part of Node's pool. */
export function copyOf(chunk: Buffer, at: number, end: number): Buffer {
  const length = end - at;
  const copy = Buffer.allocUnsafe(length);
  if (length > FEW_BYTES) chunk.copy(copy, 0, at, end);
  else for (let index = 0; index < length; index++) copy[index] = chunk[at + index]!;
  return copy;
}
