/**
 * How many calls may be tried again, as a bucket of tokens: each UNAVAILABLE takes one, each call that goes well
 * puts back a part of one, and as long as the bucket is no more than half full nothing is tried again. So a
 * backend that is down as a whole does not get every call several times.
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md, Throttling Retry Attempts
 */
export class RetryBudget {
  readonly #maxTokens: number;
  readonly #tokenRatio: number;
  #tokens: number;

  constructor(maxTokens: number, tokenRatio: number) {
    this.#maxTokens = maxTokens;
    this.#tokenRatio = tokenRatio;
    this.#tokens = maxTokens;
  }

  get allowsRetry(): boolean {
    return this.#tokens > this.#maxTokens / 2;
  }

  succeeded(): void {
    if (this.#tokens < this.#maxTokens) {
      this.#tokens = Math.min(this.#maxTokens, this.#tokens + this.#tokenRatio);
    }
  }

  failed(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }
}
