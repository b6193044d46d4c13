/** Goes on to the next, or ends with an error. */
export type Next = (error?: unknown) => void;

/**
 * Calls functions in turn, each when the one before has called `next()`, and `done` behind the last, or with the first
 * error. One that throws, or whose promise rejects, has failed. Nothing waits that need not: `done` is called within this
 * call where all others are.
 */
export function runInTurn<Each>(
  all: readonly Each[],
  call: (each: Each, next: Next) => unknown,
  done: (error?: unknown) => void,
): void {
  const step = (index: number): void => {
    const each = all[index];
    if (each === undefined) {
      done();
      return;
    }
    let called = false;
    const next: Next = (error) => {
      if (called) return;
      called = true;
      if (error !== undefined && error !== null) done(error);
      else step(index + 1);
    };
    try {
      const result = call(each, next);
      if (result instanceof Promise) result.catch((cause: unknown) => next(cause ?? new Error("rejected")));
    } catch (error) {
      // Behind `next` it is the application that failed.
      if (called) throw error;
      next(error);
    }
  };
  step(0);
}
