/** Whether this process may make functions of source; not under `--disallow-code-generation-from-strings`. */
export function mayGenerate(): boolean {
  try {
    return new Scope().run("return true") === true;
  } catch {
    return false;
  }
}

/** The values that generated source refers to: each gets a name, under which the source is given it. */
export class Scope {
  readonly #names = new Map<unknown, string>();

  /** The name of a value in the source. */
  name(value: object): string {
    const existing = this.#names.get(value);
    if (existing !== undefined) return existing;
    const name = `$${this.#names.size}`;
    this.#names.set(value, name);
    return name;
  }

  /** Runs source that is the body of a function; answers what it returns. */
  run(source: string): unknown {
    // What a descriptor says is in the source only as string literals and numbers.
    // oxlint-disable-next-line typescript/no-implied-eval
    const make = new Function(...this.#names.values(), `"use strict";\n${source}`);
    return make(...this.#names.keys());
  }
}
