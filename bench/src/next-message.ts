import type { ChildProcess } from "node:child_process";

/** Waits for the next message of a child process. Rejects when the process ends instead. */
export function nextMessage<T>(name: string, child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      child.off("exit", onExit);
      resolve(message as T);
    };
    const onExit = (code: number | null): void => {
      child.off("message", onMessage);
      reject(new Error(`${name}: the process ended with code ${String(code)}`));
    };
    child.once("message", onMessage);
    child.once("exit", onExit);
  });
}
