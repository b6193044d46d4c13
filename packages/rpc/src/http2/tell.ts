/**
 * Tells somebody of something. Who is told may fail, which must cost nobody who is told next, nor leave undone what follows:
 * what it throws is thrown at the end of this tick.
 */
export function tell(call: () => void): void {
  try {
    call();
  } catch (error) {
    throwLater(error);
  }
}

/** Throws at the end of this tick. For who tells so often that it does not make a function each time. */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
