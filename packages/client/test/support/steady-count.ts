import { setTimeout as wait } from "node:timers/promises";

/** Resolves with a number when it has not changed for a while. */
export async function steadyCount(count: () => number | Promise<number>): Promise<number> {
  for (let last = -1; ;) {
    const now = await count();
    if (now === last) return now;
    last = now;
    await wait(150);
  }
}
