import type { Clock } from "@sluice/hub";

interface Kept<Answer> {
  readonly answer: Answer;
  readonly until: number;
}

/** Remembers what calls with an idempotency key were answered: for 5 minutes, and the last 10,000. */
export class AnswerCache<Answer> {
  static readonly #keptMs = 300_000;
  static readonly #most = 10_000;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept<Answer>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What a call with this key was answered; undefined where there was none. */
  find(key: string): Answer | undefined {
    const kept = this.#kept.get(key);
    return kept !== undefined && kept.until > this.#clock.now() ? kept.answer : undefined;
  }

  /** Remembers an answer. */
  keep(key: string, answer: Answer): void {
    this.#kept.delete(key);
    this.#kept.set(key, { answer, until: this.#clock.now() + AnswerCache.#keptMs });
    for (const [oldest, { until }] of this.#kept) {
      if (this.#kept.size <= AnswerCache.#most && until > this.#clock.now()) return;
      this.#kept.delete(oldest);
    }
  }
}
