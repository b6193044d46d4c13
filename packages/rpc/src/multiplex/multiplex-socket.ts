import { nextTick } from "node:process";
import {
  Code,
  createServerMultiplex,
  type AcceptedCall,
  type AcceptedCallListener,
  type CallOpening,
  type MultiplexLimits,
  MultiplexCloseCode,
  type ServerMultiplex,
  type Wire,
} from "@sluice/protocol";
import type { WebSocketConnection } from "@sluice/websocket";
import { createStatus, type Status } from "../call/status.ts";
import { AbandonedCalls } from "./abandoned-calls.ts";

/** What a socket of the multiplex wire is served with. */
export interface MultiplexSocketOptions {
  readonly limits: Partial<MultiplexLimits>;
  readonly maxAbandonedCalls: number;
  readonly accept: (
    socket: MultiplexSocket,
    call: AcceptedCall,
    opening: CallOpening,
  ) => AcceptedCallListener;
}

/** A WebSocket that carries many calls. */
export class MultiplexSocket implements Wire {
  readonly #connection: WebSocketConnection;
  readonly #multiplex: ServerMultiplex;
  readonly abandonedCalls: AbandonedCalls;
  /** Whether a message of the client is being read. */
  isReading = false;
  /** Why its calls have ended, where the client is gone. */
  gone: Status | undefined;

  constructor(connection: WebSocketConnection, options: MultiplexSocketOptions) {
    const { limits, maxAbandonedCalls, accept } = options;
    this.#connection = connection;
    this.abandonedCalls = new AbandonedCalls(maxAbandonedCalls);
    this.#multiplex = createServerMultiplex(this, {
      limits,
      // What one turn of the event loop brings from all backends leaves together.
      defer: atEndOfTurn,
      accept: (call, opening) => accept(this, call, opening),
    });
  }

  /** Calls that are open. */
  get size(): number {
    return this.#multiplex.size;
  }

  /** A message of the client, of whose memory nothing is kept. */
  receive(data: Buffer, isBinary: boolean): void {
    this.isReading = true;
    if (isBinary) this.#multiplex.receive(data);
    else this.#multiplex.close(MultiplexCloseCode.PROTOCOL_ERROR, "a text message");
    this.isReading = false;
  }

  /** The WebSocket has room again. */
  drain(): void {
    this.#multiplex.drain();
  }

  /** The WebSocket is gone. */
  closed(code: number, reason: string): void {
    this.gone = createStatus(Code.CANCELLED, `the client closed the WebSocket (${code})`);
    this.#multiplex.closed(code, reason);
  }

  /** Takes no more calls, and closes when the last one has ended. */
  goAway(reason: string): void {
    this.#multiplex.goAway(reason);
  }

  /** Closes at once with 1001, and cancels its calls. */
  leave(reason: string): void {
    this.#multiplex.close(MultiplexCloseCode.GOING_AWAY, reason);
  }

  send(message: Uint8Array): boolean {
    hasSent = true;
    return this.#connection.send(message);
  }

  close(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }
}

/** What is done at the end of the turn; one immediate for all sockets, because each costs as much as a small message. */
let deferred: (() => void)[] = [];
/** What is being done, and how much of it is. */
let current: readonly (() => void)[] = [];
let done = 0;
/** Whether a socket was sent something by what was done last. */
let hasSent = false;

function atEndOfTurn(call: () => void): void {
  if (deferred.push(call) === 1) setImmediate(callDeferred);
}

function callDeferred(): void {
  current = deferred;
  deferred = [];
  done = 0;
  callNext();
}

/** One socket that sends a tick, because they share the memory from which each one writes at the end of the tick. */
function callNext(): void {
  try {
    do {
      hasSent = false;
      current[done++]?.();
    } while (!hasSent && done < current.length);
  } finally {
    if (done < current.length) nextTick(callNext);
  }
}
