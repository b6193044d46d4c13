/**
 * The further places where one embedded message stands: a message field that is on the wire more than once is
 * one message, merged from all of them in order. The first place is not in here, because there is rarely a second.
 */
export class Ranges {
  start = 0;
  end = 0;
  readonly #bounds: number[] = [];
  #at = 0;

  add(start: number, end: number): void {
    this.#bounds.push(start, end);
  }

  /** Goes to the next range; false after the last one. */
  advance(): boolean {
    const start = this.#bounds[this.#at++];
    const end = this.#bounds[this.#at++];
    if (start === undefined || end === undefined) return false;
    this.start = start;
    this.end = end;
    return true;
  }
}
