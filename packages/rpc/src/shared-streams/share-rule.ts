/** How the streams of one method are shared. */
export interface ShareRule {
  /**
   * Metadata that tells clients apart, such as `authorization`: those with the same values share a stream. It is also the
   * only metadata that the backend is told, because a stream belongs to no client alone. Default: none, so that all
   * clients share.
   */
  readonly per?: readonly string[];
  /** Whether a client that comes later first gets the latest message. Default false. */
  readonly replay?: boolean;
  /**
   * What happens to a client that reads more slowly than messages come: `close` ends its call with RESOURCE_EXHAUSTED
   * when more than `maxWaitingBytes` wait for it; `latest` gives it the latest message when it has room again, and drops
   * those before. Default: `close`.
   */
  readonly slow?: "close" | "latest";
  /** Bytes that may wait for one client, where each message counts 32 more; one message always may. Default 1 MiB. */
  readonly maxWaitingBytes?: number;
}

/** Rules by the path of their method, `/package.Service/Method`. */
export type ShareRules = ReadonlyMap<string, ShareRule>;

/** A rule with its defaults. */
export type ResolvedShareRule = Required<ShareRule>;

/** Fills in the defaults. */
export function resolveShareRule(rule: ShareRule): ResolvedShareRule {
  return {
    per: (rule.per ?? []).map((name) => name.toLowerCase()),
    replay: rule.replay ?? false,
    slow: rule.slow ?? "close",
    maxWaitingBytes: rule.maxWaitingBytes ?? 1024 * 1024,
  };
}
