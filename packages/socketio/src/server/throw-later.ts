/** Throws what a listener of the application threw where nothing of this package is below: as an uncaught exception. */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
