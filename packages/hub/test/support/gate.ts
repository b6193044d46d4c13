/** A promise that a test resolves when it is time. */
export class Gate<Value = void> {
  readonly opened: Promise<Value>;
  #resolve: ((value: Value) => void) | undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  open(value: Value): void {
    this.#resolve?.(value);
  }
}
