import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * A function as Express has them, for every request of the engine, those for WebSockets among them. It calls `next()`,
 * `next(error)`, or answers. What it sets on the response goes into the answer, also into that of a WebSocket.
 */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => unknown;

/**
 * Calls middlewares in turn, and `done` behind the last, or with the first error. One that throws, or whose promise
 * rejects, has failed.
 */
export function runMiddlewares(
  middlewares: readonly Middleware[],
  request: IncomingMessage,
  response: ServerResponse,
  done: (error?: unknown) => void,
): void {
  const step = (index: number): void => {
    const middleware = middlewares[index];
    if (middleware === undefined) {
      done();
      return;
    }
    let called = false;
    const next = (error?: unknown): void => {
      if (called) return;
      called = true;
      if (error !== undefined && error !== null) done(error);
      else step(index + 1);
    };
    try {
      const result = middleware(request, response, next);
      if (result instanceof Promise) result.catch((cause: unknown) => next(cause ?? new Error("rejected")));
    } catch (error) {
      // Behind `next` it is the application that failed.
      if (called) throw error;
      next(error);
    }
  };
  step(0);
}
