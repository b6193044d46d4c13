import { isIP } from "node:net";
import { createHttp2Backend } from "../backend/http2-backend.ts";
import type { Clock } from "../backend/clock.ts";
import type { Http2BackendOptions } from "../backend/options.ts";
import { Address, type AddressStatus } from "./address.ts";
import { targetOf, type BalancedTarget } from "./balanced-target.ts";
import { HealthWatch } from "./health-watch.ts";
import { NameResolution } from "./name-resolution.ts";
import type { BalancedBackendOptions } from "./options.ts";
import { OutlierDetection } from "./outlier-detection.ts";

/** What a set of addresses tells. */
export interface AddressSetListener {
  /** Which addresses are usable may have changed, or whether one is worth waiting for. */
  changed(): void;
  /** An address is connected, for the first time or again. */
  connected(address: Address): void;
}

/** How many addresses are named in a message. */
const mostReasons = 5;

/** The addresses of one backend: which there are, and which of them get calls. */
export class AddressSet {
  readonly #target: BalancedTarget;
  readonly #options: BalancedBackendOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #listener: AddressSetListener;
  readonly #outliers: OutlierDetection | undefined;
  readonly #resolution: NameResolution | undefined;
  readonly #current = new Map<string, Address>();
  /** Addresses that the name has no longer, while calls run on them. */
  readonly #leaving = new Set<Address>();
  #usable: readonly Address[] = [];
  #isConnecting = false;
  #isClosed = false;
  #unresolved: string | undefined;

  constructor(
    target: BalancedTarget,
    options: BalancedBackendOptions,
    clock: Clock,
    random: () => number,
    listener: AddressSetListener,
  ) {
    this.#target = target;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#listener = listener;
    const { outlier, resolution = {} } = options;
    this.#outliers =
      outlier === undefined ? undefined : new OutlierDetection(outlier, clock, () => this.#changed());
    if (target.kind === "list") {
      this.#resolution = undefined;
      this.#replace(target.addresses);
    } else {
      this.#resolution = new NameResolution(target.host, resolution, clock, random, {
        resolved: (ips) => this.#resolved(ips.map((ip) => targetOf(ip, target.port))),
        failed: (reason) => {
          this.#unresolved = reason;
          this.#listener.changed();
        },
      });
    }
  }

  /**
   * The addresses that get calls: connected and healthy, and not taken out for failures; where that leaves none,
   * those taken out too.
   */
  get usable(): readonly Address[] {
    return this.#usable;
  }

  get isConnecting(): boolean {
    return this.#isConnecting;
  }

  /** Whether a call without a usable address has something to wait for. */
  get isPending(): boolean {
    if (this.#isClosed) return false;
    if (this.#current.size === 0) return this.#unresolved === undefined;
    for (const address of this.#current.values()) if (address.isPending) return true;
    return false;
  }

  /** Why no address is usable, for people. */
  get reasons(): string {
    const reasons = [...this.#current.values()].map(({ reason }) => reason);
    if (reasons.length === 0) return this.#unresolved ?? "it has no address yet";
    const more = reasons.length - mostReasons;
    return [...reasons.slice(0, mostReasons), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
  }

  /** The fewest failures in a row of any address. */
  get failures(): number {
    let fewest = Number.POSITIVE_INFINITY;
    for (const { backend } of this.#current.values()) {
      const state = backend.state();
      fewest = Math.min(fewest, state.kind === "backoff" ? state.failures : 1);
    }
    return fewest === Number.POSITIVE_INFINITY ? 1 : fewest;
  }

  /** All addresses, those that leave among them. */
  get all(): readonly Address[] {
    return [...this.#current.values(), ...this.#leaving];
  }

  get statuses(): readonly AddressStatus[] {
    return this.all.map((address) => address.status(this.#usable.includes(address)));
  }

  /** Connects to all addresses, those that are found later too. */
  connect(): void {
    if (this.#isClosed) return;
    this.#isConnecting = true;
    this.#resolution?.start();
    for (const { backend } of this.#current.values()) backend.connect();
  }

  /** Takes no further calls, and lets those that run have `graceMs` milliseconds. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    this.#usable = [];
    this.#resolution?.stop();
    this.#outliers?.stop();
    await Promise.all(this.all.map((address) => address.close(graceMs)));
  }

  #resolved(names: readonly string[]): void {
    this.#unresolved = undefined;
    this.#replace(names);
    this.#changed();
  }

  #replace(names: readonly string[]): void {
    const { drainMs = Number.POSITIVE_INFINITY } = this.#options;
    for (const [name, address] of this.#current) {
      if (names.includes(name)) continue;
      this.#current.delete(name);
      this.#leaving.add(address);
      void address.close(drainMs).then(() => this.#leaving.delete(address));
    }
    for (const name of names) {
      if (this.#current.has(name)) continue;
      const address = this.#create(name);
      this.#current.set(name, address);
      if (this.#isConnecting) address.backend.connect();
    }
  }

  #create(name: string): Address {
    const { health } = this.#options;
    return new Address({
      name,
      backend: createHttp2Backend(name, addressOptions(this.#target, this.#options)),
      watchHealth:
        health === undefined
          ? undefined
          : (backend, onChange) => new HealthWatch(backend, health, this.#clock, this.#random, onChange),
      outliers: this.#outliers,
      listener: {
        changed: () => this.#changed(),
        connected: (address) => this.#listener.connected(address),
        lost: () => this.#resolution?.refresh(),
      },
    });
  }

  #changed(): void {
    if (this.#isClosed) return;
    const healthy = [...this.#current.values()].filter(({ isHealthy }) => isHealthy);
    const inside = healthy.filter(({ isEjected }) => !isEjected);
    this.#usable = inside.length > 0 ? inside : healthy;
    this.#listener.changed();
  }
}

/** The options of one address: whom it is called as is decided by the name that it was found under. */
function addressOptions(target: BalancedTarget, options: BalancedBackendOptions): Http2BackendOptions {
  if (target.kind === "list") return options;
  const { authority = target.authority, tls } = options;
  if (tls === undefined || isIP(target.host) !== 0) return { ...options, authority };
  return { ...options, authority, tls: { ...tls, servername: tls.servername ?? target.host } };
}
