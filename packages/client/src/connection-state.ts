/** How a connection is; a new object whenever that changes. */
export type ConnectionState =
  /** Nothing has been called yet. */
  | { readonly kind: "idle" }
  /** An attempt is under way. `attempt` counts from 1 since a connection was last open. */
  | { readonly kind: "connecting"; readonly attempt: number }
  /** Calls are made at once. */
  | { readonly kind: "open" }
  /**
   * There is no connection, because of `reason`, and the next attempt is `delayMs` after this state began. `failures`
   * is how many attempts have failed in a row; 0 where a connection was open and was lost, or is to be replaced.
   */
  | {
      readonly kind: "waiting";
      readonly failures: number;
      readonly reason: string;
      readonly delayMs: number;
    }
  /** `close` was called. */
  | { readonly kind: "closed" };
