/** What a policy knows of an address that it may choose. */
export interface Candidate {
  /** Calls that are on it now. */
  readonly openCalls: number;
}

/**
 * Which address gets a call:
 * - `round_robin`: each in turn
 * - `least_requests`: of two that are drawn by lot, the one with fewer open calls, so that a slow address gets
 *   less and many gateways do not all run to the same one
 */
export type PolicyName = "round_robin" | "least_requests";

/** How a call is given an address. */
export interface Policy {
  /**
   * One of `candidates`, of which there MUST be at least one. It is not `avoid`, as long as there is another.
   * The candidates may be others each time. MUST NOT take longer where there are more of them.
   */
  pick<C extends Candidate>(candidates: readonly C[], avoid?: C): C;
}

/** A policy by its name. `random` answers a number from 0 (inclusive) to 1 (exclusive). */
export function createPolicy(name: PolicyName, random: () => number): Policy {
  return name === "round_robin" ? new RoundRobin(random) : new LeastRequests(random);
}

class RoundRobin implements Policy {
  #next: number;

  // Not from the first: gateways that start together would all begin there.
  constructor(random: () => number) {
    this.#next = Math.floor(random() * 0x1_0000);
  }

  pick<C extends Candidate>(candidates: readonly C[], avoid?: C): C {
    const picked = this.#take(candidates);
    return picked === avoid && candidates.length > 1 ? this.#take(candidates) : picked;
  }

  #take<C>(candidates: readonly C[]): C {
    const index = this.#next % candidates.length;
    this.#next = index + 1;
    return candidates[index] as C;
  }
}

class LeastRequests implements Policy {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick<C extends Candidate>(candidates: readonly C[], avoid?: C): C {
    const { length } = candidates;
    if (length === 1) return candidates[0] as C;
    const first = Math.floor(this.#random() * length);
    const second = (first + 1 + Math.floor(this.#random() * (length - 1))) % length;
    const one = candidates[first] as C;
    const other = candidates[second] as C;
    if (one === avoid) return other;
    if (other === avoid) return one;
    return other.openCalls < one.openCalls ? other : one;
  }
}
