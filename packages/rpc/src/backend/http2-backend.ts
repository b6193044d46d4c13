import type { Backend, Call, CallListener, CallStart } from "../call/call.ts";
import { RpcError } from "../error.ts";
import { encodingsFromHeader } from "../wire/compression.ts";
import { ConnectionPool, type BackendState } from "./connection-pool.ts";
import { Http2Call, type CallContext } from "./http2-call.ts";
import { resolveOptions, userAgent, type Http2BackendOptions } from "./options.ts";
import { parseTarget } from "./target.ts";

export type { BackendState };

/** What a backend has at this moment. */
export interface BackendCounters {
  /** Calls that have a stream. */
  readonly openCalls: number;
  /** Calls that wait for a connection. */
  readonly waitingCalls: number;
  /** Connections in any state. */
  readonly connections: number;
}

/** A gRPC server over HTTP/2. */
export interface Http2Backend extends Backend {
  /** The address, as it was given. */
  readonly target: string;
  /**
   * Connects without waiting for a call, at once also out of a back-off, and from then on again whenever the
   * connection is lost. Without it the first call connects.
   */
  connect(): void;
  state(): BackendState;
  /** Calls `listener` after each change of the state; the function that it returns ends that. */
  onState(listener: (state: BackendState) => void): () => void;
  counters(): BackendCounters;
}

class PooledBackend implements Http2Backend {
  readonly target: string;
  readonly #context: CallContext;
  readonly #listeners = new Set<(state: BackendState) => void>();
  #state: BackendState = { kind: "idle" };
  #encodings = "";
  #acceptEncodings: ReadonlySet<string> = new Set();

  constructor(target: string, options: Http2BackendOptions) {
    const parsed = parseTarget(target);
    if (parsed.scheme === "http" && options.tls !== undefined) {
      throw new RpcError(
        "target_invalid",
        `the backend address "${target}" says no TLS, but TLS is set; write https`,
      );
    }
    const resolved = resolveOptions(
      parsed.scheme === "https" ? { ...options, tls: options.tls ?? {} } : options,
    );
    this.target = target;
    this.#context = {
      pool: new ConnectionPool(parsed, target, resolved, () => this.#changed()),
      options: resolved,
      definition: {
        ":scheme": resolved.tls === undefined ? "http" : "https",
        ":authority": resolved.authority ?? parsed.authority,
        "content-type": "application/grpc+proto",
        te: "trailers",
        "user-agent": userAgent,
        "grpc-accept-encoding": "identity",
      },
      name: target,
      learnEncodings: (encodings) => this.#learnEncodings(encodings),
    };
  }

  get acceptEncodings(): ReadonlySet<string> {
    return this.#acceptEncodings;
  }

  open(start: CallStart, listener: CallListener): Call {
    const call = new Http2Call(this.#context, start, listener);
    call.begin();
    return call;
  }

  close(graceMs: number): Promise<void> {
    return this.#context.pool.close(graceMs);
  }

  connect(): void {
    this.#context.pool.connect();
  }

  state(): BackendState {
    return this.#state;
  }

  onState(listener: (state: BackendState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  counters(): BackendCounters {
    const { openCalls, waitingCalls, connections } = this.#context.pool;
    return { openCalls, waitingCalls, connections };
  }

  #learnEncodings(encodings: string): void {
    if (encodings === this.#encodings) return;
    this.#encodings = encodings;
    this.#acceptEncodings = new Set(encodingsFromHeader(encodings));
  }

  #changed(): void {
    const before = this.#state;
    const state = this.#context.pool.state;
    const isSame =
      before.kind === "backoff" && state.kind === "backoff"
        ? before.failures === state.failures
        : before.kind === state.kind;
    if (isSame) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

/**
 * A backend that is a gRPC server: `host:port`, `dns:///host:port`, `http://…`, `https://…`, `unix:/path`.
 * It connects with the first call, or with `connect`. Throws an RpcError `target_invalid`
 * or `tls_invalid`.
 */
export function createHttp2Backend(target: string, options: Http2BackendOptions = {}): Http2Backend {
  return new PooledBackend(target, options);
}
