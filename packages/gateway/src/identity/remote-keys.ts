import type { CryptoKey } from "jose";
import { wallClock } from "./clock.ts";
import { noLog, type IdentityEnvironment, type IdentityLog } from "./environment.ts";
import { fetchJson } from "./fetch-json.ts";
import { IdentityError } from "./identity-error.ts";
import { defaultJwksLimits, type JwksOptions } from "./identity-options.ts";
import { createKeySet, type KeySet } from "./key-set.ts";
import type { KeySource } from "./key-source.ts";
import { unknownKey } from "./local-keys.ts";
import type { TokenHeader } from "./token-header.ts";

/** What is known of the key set; `since` is when the last fetch ended, in milliseconds of the clock. */
type State =
  | { readonly kind: "unfetched" }
  | { readonly kind: "unavailable"; readonly failure: Error; readonly since: number }
  | { readonly kind: "fresh"; readonly keys: KeySet; readonly since: number }
  | { readonly kind: "stale"; readonly keys: KeySet; readonly failure: Error; readonly since: number };

/**
 * The JWK Set of a URL. It is fetched at once, again when a token comes after `refreshMs`, and when a token has a `kid`
 * that is not in it, but not within `cooldownMs` of the last time, so that a flood of forged tokens is none of fetches. Where
 * it cannot be fetched, the keys of the last time go on, and nobody waits for the next attempts.
 */
export class RemoteKeys implements KeySource {
  readonly #url: URL;
  readonly #limits: Readonly<Record<keyof typeof defaultJwksLimits, number>>;
  readonly #now: () => number;
  readonly #log: IdentityLog;
  readonly #closing = new AbortController();
  #state: State = { kind: "unfetched" };
  #fetching: Promise<void> | undefined;
  /** The problems of the keys that were logged last. */
  #loggedProblems = "";

  /** The options have been validated. */
  constructor(options: JwksOptions, { clock = wallClock, log = noLog }: IdentityEnvironment = {}) {
    this.#url = new URL(options.url);
    this.#limits = { ...defaultJwksLimits, ...options };
    this.#now = () => clock.now();
    this.#log = log;
    void this.#fetch();
  }

  async find(header: TokenHeader): Promise<readonly CryptoKey[]> {
    if (this.#isDue()) {
      const fetched = this.#fetch();
      if (this.#state.kind !== "stale") await fetched;
    }
    let keys = await this.#select(header);
    if (keys.length === 0 && (this.#fetching !== undefined || this.#isOver(this.#limits.cooldownMs))) {
      await this.#fetch();
      keys = await this.#select(header);
    }
    if (keys.length > 0) return keys;
    if (this.#state.kind === "fresh") throw unknownKey(header.alg, header.kid);
    // The key may be one of those that could not be fetched.
    throw new IdentityError("keys_unavailable", `No key for the token: ${this.#name} could not be fetched`, {
      cause: this.#state.kind === "unfetched" ? undefined : this.#state.failure,
    });
  }

  close(): void {
    this.#closing.abort();
  }

  /** The URL for the log, without its query, which may have a key of another kind. */
  get #name(): string {
    return this.#url.origin + this.#url.pathname;
  }

  #isDue(): boolean {
    if (this.#state.kind === "unfetched") return true;
    return this.#isOver(this.#state.kind === "fresh" ? this.#limits.refreshMs : this.#limits.cooldownMs);
  }

  /** Whether the last fetch ended so long ago, or after now, because the machine's clock was set back. */
  #isOver(milliseconds: number): boolean {
    if (this.#state.kind === "unfetched") return true;
    const passed = this.#now() - this.#state.since;
    return passed < 0 || passed >= milliseconds;
  }

  async #select(header: TokenHeader): Promise<readonly CryptoKey[]> {
    return "keys" in this.#state ? this.#state.keys.select(header) : [];
  }

  /** Fetches the keys, once for all who wait; never rejects. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#replace().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #replace(): Promise<void> {
    const { timeoutMs, maxBytes } = this.#limits;
    try {
      const keys = createKeySet(
        await fetchJson(this.#url, { timeoutMs, maxBytes, signal: this.#closing.signal }),
      );
      this.#logProblems(keys.problems);
      if (keys.size === 0) throw new Error("has no key for signatures");
      if (this.#state.kind === "stale" || this.#state.kind === "unavailable") {
        this.#log.info({ jwks: this.#name }, `${this.#name} is back, with ${keys.size} keys`);
      }
      this.#state = { kind: "fresh", keys, since: this.#now() };
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      const before = this.#state;
      const since = this.#now();
      this.#state =
        "keys" in before
          ? { kind: "stale", keys: before.keys, failure, since }
          : { kind: "unavailable", failure, since };
      if (this.#closing.signal.aborted) return;
      const meanwhile = "keys" in before ? "the keys of before go on" : "no token can be checked";
      this.#log.warn({ jwks: this.#name }, `${this.#name} ${failure.message}; ${meanwhile}`);
    }
  }

  #logProblems(problems: readonly string[]): void {
    const text = problems.join("; ");
    if (text !== "" && text !== this.#loggedProblems) {
      this.#log.warn({ jwks: this.#name }, `${this.#name} has keys that are left out: ${text}`);
    }
    this.#loggedProblems = text;
  }
}
