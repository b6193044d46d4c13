import { setTimeout as wait } from "node:timers/promises";

/** Milliseconds that something which has to happen may take. */
const patienceMs = 60_000;

/** Waits until something is so; rejects with a sentence, and what `details` says, when it takes a minute. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  details: () => string = () => "",
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > end)
      throw new Error(`waited for ${patienceMs} ms, and not: ${what}\n${details()}`);
    await wait(20);
  }
}
