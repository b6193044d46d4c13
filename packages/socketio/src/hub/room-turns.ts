/** Things that are done in the order in which they were asked for, for each room, where some take their time. */
export class RoomTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** What comes next for the room has to wait until this is done. */
  add(room: string, underWay: Promise<unknown>): void {
    const turn = Promise.allSettled([this.#last.get(room), underWay]);
    this.#last.set(room, turn);
    void turn.then(() => {
      if (this.#last.get(room) === turn) this.#last.delete(room);
    });
  }

  /** Does something when it is its turn, which is at once where there is nothing to wait for. */
  run<Result>(room: string, call: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(room);
    if (before === undefined) return call();
    const result = before.then(call);
    this.add(room, result);
    return result;
  }
}
