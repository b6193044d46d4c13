import type { Timer } from "@sluice/protocol";
import { wallClock, type WallClock } from "./clock.ts";
import { IdentityError } from "./identity-error.ts";
import type { Identity } from "./identity.ts";

/** The time is compared at least once an hour: a machine's clock may be set, and timers wait 24 days at most. */
const longestWaitMs = 3_600_000;

type State =
  | { readonly kind: "held"; readonly timer: Timer | undefined }
  | { readonly kind: "expired" }
  | { readonly kind: "ended" };

/** What a session has of its identity: it tells once when that has expired, unless it is refreshed in time. */
export class IdentityLease {
  readonly #clock: WallClock;
  readonly #expired: () => void;
  #identity: Identity;
  #state: State;

  /** `expired` is called once at most, and never before the constructor has returned. */
  constructor(identity: Identity, expired: () => void, clock: WallClock = wallClock) {
    this.#clock = clock;
    this.#expired = expired;
    this.#identity = identity;
    this.#state = { kind: "held", timer: this.#wait() };
  }

  /** The identity, as it was refreshed last. */
  get identity(): Identity {
    return this.#identity;
  }

  /**
   * Goes on with a newer identity of the same user. Does nothing after the end.
   * Throws an IdentityError `user_changed`, or `expired` where it was told already.
   */
  refresh(identity: Identity): void {
    if (this.#state.kind === "ended") return;
    if (this.#state.kind === "expired") {
      throw new IdentityError("expired", "The identity has expired before it was refreshed");
    }
    if (identity.user !== this.#identity.user) {
      throw new IdentityError("user_changed", "The token that should refresh an identity is of another user");
    }
    this.#state.timer?.cancel();
    this.#identity = identity;
    this.#state = { kind: "held", timer: this.#wait() };
  }

  /** Nothing is told any more: the session is over. */
  end(): void {
    if (this.#state.kind === "held") this.#state.timer?.cancel();
    this.#state = { kind: "ended" };
  }

  #wait(): Timer | undefined {
    const { expiresAt } = this.#identity;
    if (expiresAt === undefined) return undefined;
    const left = Math.max(expiresAt - this.#clock.now(), 0);
    return this.#clock.after(Math.min(left, longestWaitMs), () => this.#look(expiresAt));
  }

  #look(expiresAt: number): void {
    if (this.#clock.now() < expiresAt) {
      this.#state = { kind: "held", timer: this.#wait() };
      return;
    }
    this.#state = { kind: "expired" };
    this.#expired();
  }
}
