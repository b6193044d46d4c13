/** The bounds of a listener. What is not given has the default of `defaultListenerLimits`. */
export interface ListenerLimits {
  /** Milliseconds until the first bytes of a connection say what it speaks. Default 10,000. Over it: closed. */
  readonly firstBytesMs: number;
  /** Milliseconds for the head of a request over HTTP/1. Default 60,000. Over it: 408, within half as much again. */
  readonly headMs: number;
  /** Requests that one HTTP/1 connection may have waiting for the answer to another. Default 100. Over it: closed. */
  readonly maxPipelined: number;
  /** Streams that one HTTP/2 connection may have open. Default 1,000. Over it: GOAWAY, or REFUSED_STREAM at its begin. */
  readonly maxStreams: number;
  /**
   * Milliseconds that an HTTP/2 connection may be without a stream. Default 300,000. Over it, within a quarter as much
   * again: GOAWAY. Over HTTP/1 it is Node's 5,000 between two requests.
   */
  readonly idleMs: number;
  /**
   * Milliseconds of silence after which a client of HTTP/2 is asked by PING whether it lives, and in which it must then say
   * something. Default 30,000. Over it: disconnected. WebSockets have a heartbeat of their own.
   */
  readonly aliveMs: number;
  /**
   * Milliseconds in which a client must read something of an answer that waits for it. Default 300,000. Over it, within a
   * quarter as much again: RST_STREAM with CANCEL, over HTTP/1 disconnected.
   */
  readonly stallMs: number;
  /**
   * Connections of one client's address; IPv6 addresses count by their first 64 bits. Default Infinity, because behind
   * a proxy all clients have one address. Over it: closed.
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * Bytes of the head of a request; over HTTP/2 each field counts 32 more. Default 65,536. Over it: 431, over HTTP/2
   * RST_STREAM with ENHANCE_YOUR_CALM.
   */
  readonly maxHeaderBytes: number;
}

/** The limits that hold where none are given. */
export const defaultListenerLimits: ListenerLimits = Object.freeze({
  firstBytesMs: 10_000,
  headMs: 60_000,
  maxPipelined: 100,
  maxStreams: 1_000,
  idleMs: 300_000,
  aliveMs: 30_000,
  stallMs: 300_000,
  maxConnectionsPerAddress: Infinity,
  maxHeaderBytes: 64 * 1024,
});
