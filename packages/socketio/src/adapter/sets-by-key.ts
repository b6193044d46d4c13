import { inspect } from "node:util";

/** Stands for the set of a key that holds this key and nothing else. */
const itself: Set<string> = new Set();

const none: ReadonlySet<string> = new Set();

/**
 * A map of sets, in which those that hold nothing but their own key take no memory until they are looked at. Each socket
 * is in a room of its own name, and most are in few others.
 */
export class SetsByKey extends Map<string, Set<string>> {
  static {
    // As console.log shows it.
    Object.defineProperty(this.prototype, inspect.custom, {
      value(this: SetsByKey): Map<string, Set<string>> {
        return new Map(this);
      },
    });
  }

  override get(key: string): Set<string> | undefined {
    const set = super.get(key);
    return set === itself ? this.#unfold(key) : set;
  }

  override forEach(call: (set: Set<string>, key: string, map: Map<string, Set<string>>) => void): void {
    for (const [key, set] of this) call(set, key, this);
  }

  override *entries(): MapIterator<[string, Set<string>]> {
    for (const [key, set] of super.entries()) yield [key, set === itself ? this.#unfold(key) : set];
  }

  override *values(): MapIterator<Set<string>> {
    for (const [, set] of this.entries()) yield set;
  }

  override [Symbol.iterator](): MapIterator<[string, Set<string>]> {
    return this.entries();
  }

  /** Adds a member to the set of a key, which begins with it where there is none. Answers whether it is new there. */
  add(key: string, member: string): boolean {
    const set = super.get(key);
    if (set === undefined) super.set(key, member === key ? itself : new Set([member]));
    else if (set === itself && member !== key) super.set(key, new Set([key, member]));
    else if (set === itself || set.has(member)) return false;
    else set.add(member);
    return true;
  }

  /** Takes a member out of the set of a key, and leaves the set. Answers whether it was there. */
  remove(key: string, member: string): boolean {
    const set = super.get(key);
    if (set !== itself) return set !== undefined && set.delete(member);
    if (member !== key) return false;
    super.set(key, new Set());
    return true;
  }

  /** The members of the set of a key, to be looked at now: a set that is not there yet is not made. */
  membersOf(key: string): ReadonlySet<string> {
    const set = super.get(key);
    return set === itself ? new Set([key]) : (set ?? none);
  }

  #unfold(key: string): Set<string> {
    const set = new Set([key]);
    super.set(key, set);
    return set;
  }
}
