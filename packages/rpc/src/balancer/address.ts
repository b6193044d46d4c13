import { Code } from "@sluice/protocol";
import type { BackendState, Http2Backend } from "../backend/http2-backend.ts";
import type { Call, CallListener, CallStart } from "../call/call.ts";
import type { Health, HealthWatch } from "./health-watch.ts";
import type { OutlierDetection, OutlierRecord } from "./outlier-detection.ts";
import type { Candidate } from "./policy.ts";

/** One address of a backend, as it is at this moment. */
export interface AddressStatus {
  /** `host:port`. */
  readonly address: string;
  /** How it is connected; `draining` when the name has it no longer, and calls still run on it. */
  readonly state: BackendState;
  /** Undefined where health is not asked for. */
  readonly health: Health | undefined;
  /** Whether it is out because its calls went wrong. */
  readonly isEjected: boolean;
  /** Whether it gets calls now. */
  readonly isUsable: boolean;
  readonly openCalls: number;
  readonly connections: number;
  /** Calls, with each attempt, since the address joined. */
  readonly startedCalls: number;
  /** Those that ended with UNAVAILABLE, INTERNAL or DEADLINE_EXCEEDED. */
  readonly failedCalls: number;
}

/** What an address tells the set that it belongs to. */
export interface AddressListener {
  /** It may have become usable, or stopped being so. */
  changed(): void;
  /** It is connected, for the first time or again. */
  connected(address: Address): void;
  /** Its connection failed or was lost. */
  lost(): void;
}

/** What an address is made of. */
export interface AddressParts {
  readonly name: string;
  readonly backend: Http2Backend;
  /** Made with the address where health is asked for; it is told what to do when the health changes. */
  readonly watchHealth: ((backend: Http2Backend, onChange: () => void) => HealthWatch) | undefined;
  readonly outliers: OutlierDetection | undefined;
  readonly listener: AddressListener;
}

/** One server of several: its connections, its health, and how its calls went. */
export class Address implements Candidate {
  readonly name: string;
  readonly backend: Http2Backend;
  readonly #health: HealthWatch | undefined;
  readonly #outliers: OutlierDetection | undefined;
  readonly #record: OutlierRecord | undefined;
  #openCalls = 0;
  #startedCalls = 0;
  #failedCalls = 0;

  constructor({ name, backend, watchHealth, outliers, listener }: AddressParts) {
    this.name = name;
    this.backend = backend;
    this.#outliers = outliers;
    this.#record = outliers?.add();
    this.#health = watchHealth?.(backend, () => listener.changed());
    let wasReady = false;
    backend.onState(({ kind }) => {
      const isLost = kind === "backoff" || (wasReady && kind === "connecting");
      wasReady = kind === "ready";
      if (wasReady) this.#health?.start();
      else this.#health?.stop();
      listener.changed();
      if (wasReady) listener.connected(this);
      if (isLost) listener.lost();
    });
  }

  get openCalls(): number {
    return this.#openCalls;
  }

  /** Whether it is connected and has not said that it wants no calls. */
  get isHealthy(): boolean {
    if (this.backend.state().kind !== "ready") return false;
    return this.#health === undefined || this.#health.health.kind === "serving";
  }

  get isEjected(): boolean {
    return this.#record?.isEjected ?? false;
  }

  /** Whether it is worth waiting for: it may become healthy without another attempt to connect. */
  get isPending(): boolean {
    const { kind } = this.backend.state();
    if (kind === "ready") return this.#health?.health.kind === "unknown";
    return kind === "idle" || kind === "connecting";
  }

  /** Why it gets no calls, for people. */
  get reason(): string {
    const state = this.backend.state();
    if (state.kind === "backoff") return `${this.name}: ${state.error}`;
    const health = this.#health?.health;
    if (health?.kind === "not_serving") return `${this.name}: ${health.reason}`;
    return `${this.name} is ${state.kind}`;
  }

  /** Begins a call; `end` must be called when it has ended. */
  open(start: CallStart, listener: CallListener): Call {
    this.#openCalls++;
    this.#startedCalls++;
    return this.backend.open(start, listener);
  }

  /** A call of `open` has ended with `code`; `timeout` is the milliseconds that it had. */
  end(code: number, timeout: number | undefined): void {
    this.#openCalls--;
    if (code === Code.UNAVAILABLE || code === Code.INTERNAL || code === Code.DEADLINE_EXCEEDED) {
      this.#failedCalls++;
    }
    if (this.#record !== undefined) this.#outliers?.report(this.#record, code, timeout);
  }

  /** Takes no further calls; those that run may take `graceMs` milliseconds. */
  close(graceMs: number): Promise<void> {
    this.#health?.stop();
    if (this.#record !== undefined) this.#outliers?.remove(this.#record);
    return this.backend.close(graceMs);
  }

  status(isUsable: boolean): AddressStatus {
    return {
      address: this.name,
      state: this.backend.state(),
      health: this.#health?.health,
      isEjected: this.isEjected,
      isUsable,
      openCalls: this.#openCalls,
      connections: this.backend.counters().connections,
      startedCalls: this.#startedCalls,
      failedCalls: this.#failedCalls,
    };
  }
}
