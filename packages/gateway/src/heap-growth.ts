import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** As long as so much of the heap is used at most, it grows in large steps. */
const smallHeapBytes = 128 * 1024 * 1024;

/** How often that is looked at, in milliseconds. */
const lookMs = 10_000;

/**
 * Lets the heap of this process grow in large steps while it is small. For a program that serves a gateway, when it
 * starts; it may then take some 100 MiB more.
 *
 * Messages are memory outside of the heap, which V8 counts with it. It grants a heap of 15 MiB, after a quiet time, a
 * third more, which some hundred messages of 16 KiB fill, and then collects everything: that would cost more than
 * the messages. Both flags are read at each collection, and have V8's own greatest values here.
 */
export function growHeapFreely(): void {
  // Young objects get all of their memory at once. In little of it, messages on their way are taken for old ones.
  setFlagsFromString("--semi-space-growth-factor=16");
  look();
  setInterval(look, lookMs).unref();
}

function look(): void {
  const isSmall = getHeapStatistics().used_heap_size <= smallHeapBytes;
  // 0 leaves it to V8, which weighs a large heap well.
  setFlagsFromString(`--heap-growing-percent=${isSmall ? 300 : 0}`);
}
