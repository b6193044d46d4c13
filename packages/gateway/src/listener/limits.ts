/** The bounds of a listener. What is not given has the default of `defaultListenerLimits`. */
export interface ListenerLimits {
  /** Milliseconds until the first bytes of a connection say what it speaks. Default 10,000. Over it: closed. */
  readonly firstBytesMs: number;
  /** Milliseconds for the head of a request over HTTP/1. Default 60,000. Over it: 408, within half as much again. */
  readonly headMs: number;
  /** Streams that one HTTP/2 connection may have open. Default 1,000. Over it: REFUSED_STREAM. */
  readonly maxStreams: number;
}

/** The limits that hold where none are given. */
export const defaultListenerLimits: ListenerLimits = Object.freeze({
  firstBytesMs: 10_000,
  headMs: 60_000,
  maxStreams: 1_000,
});
