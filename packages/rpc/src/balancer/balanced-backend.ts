import { Code } from "@sluice/protocol";
import type { Clock } from "../backend/clock.ts";
import type { BackendCounters, BackendState, Http2Backend } from "../backend/http2-backend.ts";
import { resolveOptions } from "../backend/options.ts";
import type { Backend, Call, CallListener, CallStart } from "../call/call.ts";
import { createStatus, type Status } from "../call/status.ts";
import { AddressSet } from "./address-set.ts";
import type { Address, AddressStatus } from "./address.ts";
import { BalancedCall, type CallOwner } from "./balanced-call.ts";
import { parseBalancedTarget } from "./balanced-target.ts";
import type { BalancedBackendOptions } from "./options.ts";
import { createPolicy, type Policy } from "./policy.ts";
import { RetryPolicy } from "./retry-policy.ts";

/** What a backend of several addresses has at this moment; sums over all of them. */
export interface BalancerCounters extends BackendCounters {
  /** Calls that are on an address. */
  readonly openCalls: number;
  /** Calls that wait for an address. */
  readonly waitingCalls: number;
  /** Attempts beyond the first of their call, since the start. */
  readonly retries: number;
  /** Calls that were not tried again because the budget for that was spent, since the start. */
  readonly refusedRetries: number;
}

/**
 * A gRPC service at several addresses. Its state is `ready` as long as one of them takes calls, `connecting` as
 * long as calls wait for one, and `backoff`, with the reasons of all, when calls fail.
 */
export interface BalancedBackend extends Http2Backend {
  counters(): BalancerCounters;
  /** Each address, those that only end their calls among them. */
  addresses(): readonly AddressStatus[];
  /**
   * Calls `listener` whenever an address is connected, for the first time or again, which is also when its
   * server may be another one. `server` is that address alone. The function that is returned ends it.
   */
  onConnected(listener: (server: Backend, address: string) => void): () => void;
}

const shuttingDown = createStatus(Code.UNAVAILABLE, "the gateway is shutting down");
const noEncodings: ReadonlySet<string> = new Set();

class Balancer implements BalancedBackend, CallOwner {
  readonly target: string;
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  readonly sendBufferBytes: number;
  readonly #maxWaitingCalls: number;
  readonly #policy: Policy;
  readonly #set: AddressSet;
  readonly #waiting = new Set<BalancedCall>();
  readonly #resting = new Set<BalancedCall>();
  readonly #stateListeners = new Set<(state: BackendState) => void>();
  readonly #connectedListeners = new Set<(server: Backend, address: string) => void>();
  #phase: "open" | "draining" | "closed" = "open";
  #state: BackendState = { kind: "idle" };

  constructor(target: string | readonly string[], options: BalancedBackendOptions) {
    const { clock, random, sendBufferBytes, maxWaitingCalls } = resolveOptions(options);
    this.target = typeof target === "string" ? target : target.join(",");
    this.clock = clock;
    this.sendBufferBytes = sendBufferBytes;
    this.#maxWaitingCalls = maxWaitingCalls;
    this.retry = new RetryPolicy(options.retry, random);
    this.#policy = createPolicy(options.policy ?? "round_robin", random);
    this.#set = new AddressSet(parseBalancedTarget(target), options, clock, random, {
      changed: () => this.#changed(),
      connected: ({ backend, name }) => {
        for (const listener of this.#connectedListeners) listener(backend, name);
      },
    });
  }

  /** What all usable addresses accept: the call is compressed before it is known where it runs. */
  get acceptEncodings(): ReadonlySet<string> {
    let common: ReadonlySet<string> | undefined;
    for (const { backend } of this.#set.usable) {
      const { acceptEncodings = noEncodings } = backend;
      const before = common ?? acceptEncodings;
      const shared = [...before].filter((encoding) => acceptEncodings.has(encoding));
      common = shared.length === before.size ? before : new Set(shared);
    }
    return common ?? noEncodings;
  }

  open(start: CallStart, listener: CallListener): Call {
    const call = new BalancedCall(this, start, listener);
    call.begin();
    return call;
  }

  connect(): void {
    this.#set.connect();
    this.#tell();
  }

  async close(graceMs: number): Promise<void> {
    if (this.#phase === "closed") return;
    this.#phase = "draining";
    this.#failWaiting([...this.#waiting, ...this.#resting], shuttingDown);
    const closed = this.#set.close(graceMs);
    this.#tell();
    await closed;
    this.#phase = "closed";
    this.#tell();
  }

  state(): BackendState {
    return this.#state;
  }

  onState(listener: (state: BackendState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  onConnected(listener: (server: Backend, address: string) => void): () => void {
    this.#connectedListeners.add(listener);
    return () => this.#connectedListeners.delete(listener);
  }

  counters(): BalancerCounters {
    let openCalls = 0;
    let connections = 0;
    for (const address of this.#set.all) {
      openCalls += address.openCalls;
      connections += address.backend.counters().connections;
    }
    const { retries, refused: refusedRetries } = this.retry;
    return { openCalls, waitingCalls: this.#waiting.size, connections, retries, refusedRetries };
  }

  addresses(): readonly AddressStatus[] {
    return this.#set.statuses;
  }

  acquire(call: BalancedCall, avoid: Address | undefined): Address | Status | undefined {
    if (this.#set.usable.length === 0) {
      if (this.#phase !== "open") return shuttingDown;
      if (!this.#set.isConnecting) this.connect();
    }
    const { usable } = this.#set;
    if (usable.length > 0) return this.#policy.pick(usable, avoid);
    if (!this.#set.isPending) return this.#unreachable();
    if (this.#waiting.size >= this.#maxWaitingCalls) {
      const text = `${this.#waiting.size} calls already wait for an address of ${this.target}, which is the maximum`;
      return createStatus(Code.RESOURCE_EXHAUSTED, text);
    }
    this.#waiting.add(call);
    return undefined;
  }

  rest(call: BalancedCall): void {
    this.#resting.add(call);
  }

  forget(call: BalancedCall): void {
    this.#waiting.delete(call);
    this.#resting.delete(call);
  }

  #changed(): void {
    if (this.#set.usable.length > 0) this.#runWaiting();
    else if (this.#waiting.size > 0 && !this.#set.isPending) {
      this.#failWaiting([...this.#waiting], this.#unreachable());
    }
    this.#tell();
  }

  #runWaiting(): void {
    for (const call of this.#waiting) {
      // A call that begins may change what is usable.
      const { usable } = this.#set;
      if (usable.length === 0) return;
      this.#waiting.delete(call);
      call.run(this.#policy.pick(usable));
    }
  }

  #failWaiting(calls: readonly BalancedCall[], status: Status): void {
    for (const call of calls) call.fail(status);
  }

  #unreachable(): Status {
    return createStatus(Code.UNAVAILABLE, `no address of ${this.target} can be called: ${this.#set.reasons}`);
  }

  #tell(): void {
    const before = this.#state;
    const state = this.#current();
    const isSame =
      before.kind === "backoff" && state.kind === "backoff"
        ? before.failures === state.failures
        : before.kind === state.kind;
    if (isSame) return;
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }

  #current(): BackendState {
    if (this.#phase !== "open") return { kind: this.#phase };
    if (this.#set.usable.length > 0) return { kind: "ready" };
    if (!this.#set.isConnecting) return { kind: "idle" };
    if (this.#set.isPending) return { kind: "connecting" };
    return { kind: "backoff", error: this.#set.reasons, failures: this.#set.failures };
  }
}

/**
 * A backend that is one gRPC service at several addresses: `dns:///host:port`, whose addresses are all used and
 * looked up again, or `host:port,host:port`, or an array of these. It connects to all of them with the first
 * call, or with `connect`. Throws an RpcError `target_invalid` or `tls_invalid`.
 */
export function createBalancedBackend(
  target: string | readonly string[],
  options: BalancedBackendOptions = {},
): BalancedBackend {
  return new Balancer(target, options);
}
