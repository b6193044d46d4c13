/** Lets what is asked about one room happen in the order in which it was asked, and different rooms not wait for each other. */
export class RoomOrder {
  readonly #last = new Map<string, Promise<void>>();

  /** Does the work once everything before it in the same room is done. It must not reject. */
  run(room: string, work: () => Promise<void>): Promise<void> {
    const before = this.#last.get(room);
    const done = before === undefined ? work() : before.then(work);
    this.#last.set(room, done);
    return done.then(() => {
      if (this.#last.get(room) === done) this.#last.delete(room);
    });
  }
}
