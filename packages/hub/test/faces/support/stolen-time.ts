import type { TestContext } from "node:test";

const tickMs = 5;

/** Measures for how long this process could not run although it wanted to, because the machine was busy with others. */
export class StolenTime {
  #ms = 0;
  #at = performance.now();
  #cpu = process.cpuUsage();

  constructor(context: TestContext) {
    const timer = setInterval(() => this.#look(), tickMs);
    context.after(() => clearInterval(timer));
  }

  /** Counts anew. */
  reset(): void {
    this.#look();
    this.#ms = 0;
  }

  /** Milliseconds since `reset`, those until this moment among them. */
  read(): number {
    this.#look();
    return this.#ms;
  }

  /** A tick that comes late without the processor having been used was not this process's fault. */
  #look(): void {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#ms += Math.max(0, now - this.#at - tickMs - (user + system) / 1000);
    this.#at = now;
    this.#cpu = process.cpuUsage();
  }
}
