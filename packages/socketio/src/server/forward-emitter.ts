import type { EventEmitter } from "node:events";

const methods = [
  "addListener",
  "emit",
  "eventNames",
  "getMaxListeners",
  "listenerCount",
  "listeners",
  "off",
  "on",
  "once",
  "prependListener",
  "prependOnceListener",
  "rawListeners",
  "removeAllListeners",
  "removeListener",
  "setMaxListeners",
] as const;

/** Makes the methods of an EventEmitter, for all objects of a class, those of another emitter that each of them has. */
export function forwardEmitter<Owner extends object>(
  prototype: Owner,
  emitterOf: (owner: Owner) => EventEmitter,
): void {
  for (const name of methods) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: Owner, ...args: unknown[]): unknown {
        const emitter = emitterOf(this);
        const result: unknown = Reflect.apply(emitter[name], emitter, args);
        return result === emitter ? this : result;
      },
    });
  }
}
