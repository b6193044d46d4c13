import type { Publication } from "@sluice/hub";

/** What a node receives, and a way to wait for it. */
export class Inbox {
  readonly received: Publication[] = [];
  #waiting: (() => void) | undefined;

  readonly receive = (publication: Publication): void => {
    this.received.push(publication);
    this.#waiting?.();
  };

  /** Waits until so many of a room are there, and answers what they say. */
  async texts(room: string, count: number): Promise<string[]> {
    const texts = (): string[] =>
      this.received.filter((each) => each.room === room).map(({ message }) => String(message.data));
    while (texts().length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return texts();
  }
}
