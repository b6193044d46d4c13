/** What has something to write when this tick ends. */
export interface Flushable {
  /** Whether `flush()` has anything to do. To answer, it looks at all that the write will need. */
  readonly isDue: boolean;
  flush(): void;
}

/** So many are looked at before the first of them is written. */
const AT_ONCE = 16;

let due: Flushable[] = [];

/** Flushes at the end of this tick. */
export function flushAtEndOfTick(one: Flushable): void {
  if (due.push(one) === 1) process.nextTick(flushDue);
}

/**
 * In a broadcast to thousands none of what a write needs is in the processor's cache any more. A look at some of them
 * lets the processor wait for their memory once, not for each one after the system call of the one before.
 */
function flushDue(): void {
  const ones = due;
  due = [];
  flushFrom(ones, 0);
}

function flushFrom(ones: readonly Flushable[], first: number): void {
  let next = first;
  try {
    for (let from = first; from < ones.length; from += AT_ONCE) {
      const to = Math.min(from + AT_ONCE, ones.length);
      let count = 0;
      for (let index = from; index < to; index++) if (ones[index]!.isDue) count++;
      next = count === 0 ? to : from;
      while (next < to) ones[next++]!.flush();
    }
  } finally {
    // A stream of the application has thrown, which is no matter of those behind it.
    if (next < ones.length) process.nextTick(flushFrom, ones, next);
  }
}
