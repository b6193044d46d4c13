import type { AcceptedCall, AcceptedCallListener, Call, CallListener, CallStart } from "./call.ts";
import type { CallOpening } from "./frame-codec.ts";
import type { KeepaliveOptions } from "./keepalive.ts";
import type { MultiplexLimits } from "./settings.ts";

/** An open WebSocket with the subprotocol `sluice.v1`, as a multiplex needs it. */
export interface Wire {
  /**
   * Sends one binary message, which MUST have been copied or written when this returns, because its memory is used
   * again. Answers whether to go on; after false, `drain` of the multiplex MUST follow. It MUST NOT call any
   * multiplex before it returns.
   */
  send(message: Uint8Array): boolean;
  /** Closes the WebSocket when what was sent has left. Called at most once, and not after `closed`. */
  close(code: number, reason: string): void;
}

/** What both sides of a connection need. */
export interface MultiplexOptions {
  readonly limits?: Partial<MultiplexLimits>;
  /**
   * Calls once and soon, but never before it returns: what is sent until then leaves together. A microtask does; the
   * end of the turn of the event loop (`setImmediate`) gathers more.
   */
  readonly defer: (call: () => void) => void;
  /** Default: none, which is right where the WebSocket's own pings are used. */
  readonly keepalive?: KeepaliveOptions;
}

/** What a client needs. */
export interface ClientMultiplexOptions extends MultiplexOptions {
  /**
   * The server takes no new calls. Those that it has taken go on; the others have ended with a status that is
   * `unprocessed`. The WebSocket is closed when the last call has ended.
   */
  readonly goAway?: (reason: string) => void;
}

/** What a server needs. */
export interface ServerMultiplexOptions extends MultiplexOptions {
  /** A client opens a call. MUST NOT throw. */
  readonly accept: (call: AcceptedCall, opening: CallOpening) => AcceptedCallListener;
}

/** One connection, as whoever owns its WebSocket drives it. */
export interface Multiplex {
  /** Calls that are open, those that wait to be opened not counted. */
  readonly size: number;
  /** Takes one binary WebSocket message. For a text message, call `close(4400, …)`. */
  receive(message: Uint8Array): void;
  /** The WebSocket has room again. */
  drain(): void;
  /** The WebSocket has closed. Every call has ended when this returns, and nothing is sent any more. */
  closed(code: number, reason: string): void;
  /** Closes the WebSocket, and ends every call: with `reason` (default: UNAVAILABLE), or what stands for the code. */
  close(code?: number, reason?: string): void;
}

/** The client's side. */
export interface ClientMultiplex extends Multiplex {
  /**
   * Opens a call, at once or when the server has said how much it takes and has room for it. What goes wrong is told
   * through `listener.end`.
   */
  open(start: CallStart, listener: CallListener): Call;
}

/** The server's side. */
export interface ServerMultiplex extends Multiplex {
  /** Takes no new calls; closes the WebSocket when the last one has ended. */
  goAway(reason?: string): void;
}
