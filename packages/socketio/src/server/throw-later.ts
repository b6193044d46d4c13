/** Throws what a listener of the application threw where nothing of this package is below: as an uncaught exception. */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

/** Calls listeners of the application, and has no part in what they throw: others are waiting. */
export function guard(call: () => void): void {
  try {
    call();
  } catch (error) {
    throwLater(error);
  }
}
