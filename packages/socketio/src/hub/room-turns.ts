/** Things that are done in the order in which they were asked for, for each room, where some take their time. */
export class RoomTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Something is under way that what comes next for the room has to wait for. */
  add(room: string, underWay: Promise<unknown>): void {
    const before = this.#last.get(room);
    const turn = Promise.allSettled(before === undefined ? [underWay] : [before, underWay]);
    this.#last.set(room, turn);
    void turn.then(() => {
      if (this.#last.get(room) === turn) this.#last.delete(room);
    });
  }

  /** Whether something is under way. */
  has(room: string): boolean {
    return this.#last.has(room);
  }

  /** Does something when it is its turn, which is at once where nothing is under way. */
  run(room: string, call: () => Promise<unknown>): void {
    const before = this.#last.get(room);
    if (before === undefined) void call();
    else this.add(room, before.then(call));
  }
}
