import type { ZlibPool } from "./zlib-pool.ts";

/** How permessage-deflate (RFC 7692) is used. What is not given has the default of `defaultCompression`. */
export interface CompressionOptions {
  /** Messages of fewer bytes are sent as they are. Default 1024: below, the gain seldom pays the time. */
  readonly threshold: number;
  /** zlib's level, 1 (fast) to 9 (small). Default 6, as zlib's own. */
  readonly level: number;
  /** zlib's memory level, 1 to 9. Default 5: 16 KiB for each connection that compresses, where 8 takes 128 KiB. */
  readonly memoryLevel: number;
  /**
   * Whether what this side sends may refer to earlier messages. Default true: small similar messages become several
   * times smaller. False saves `2^(windowBits + 2) + 2^(memoryLevel + 9)` bytes a connection: all share one state.
   */
  readonly contextTakeover: boolean;
  /** As `contextTakeover`, for what the peer sends; false is demanded of it. Default true. */
  readonly peerContextTakeover: boolean;
  /** How far back what this side sends refers, as a power of two, 9 to 15. Default 12: 4 KiB, in 16 KiB of memory. */
  readonly windowBits: number;
  /** As `windowBits`, for what the peer sends; asked of it where it lets itself be asked. Default 12. */
  readonly peerWindowBits: number;
  /** Which threads do the large messages. Default: one pool for the process, with at most 4 at work. */
  readonly pool: ZlibPool;
}
