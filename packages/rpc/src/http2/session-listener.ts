/** What a session tells. */
export interface SessionListener {
  /**
   * The peer has said, at first or anew, how many streams may be open at once, and how large a list of headers may be,
   * each counted as name, value and 32 more.
   */
  settings(maxConcurrentStreams: number, maxHeaderListBytes: number): void;
  /** The peer takes no streams above `lastStreamId`. */
  goaway(code: number, lastStreamId: number, data: Buffer): void;
  /** The peer has broken HTTP/2. The session is over. */
  failed(error: Error): void;
}

/** The bounds of a session, as `Http2BackendOptions` has them. */
export interface SessionLimits {
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly maxHeaderBytes: number;
}
