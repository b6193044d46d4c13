/** Lets an error of the application reach the process, but nobody in between. */
export function throwOn(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
