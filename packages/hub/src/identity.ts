/** Who a client is. */
export interface Identity {
  /** The user; empty for nobody in particular. */
  readonly user: string;
  /** What else is known of the client, such as the claims of its token. Default: nothing. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** What others are shown of the client where a room has presence. Default: nothing. */
  readonly info?: unknown;
}
