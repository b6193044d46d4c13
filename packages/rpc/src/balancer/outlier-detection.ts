import { Code } from "@sluice/protocol";
import type { Clock, Timer } from "../backend/clock.ts";

/**
 * When an address gets no calls for a while because those that it had went wrong: with UNAVAILABLE, INTERNAL, or
 * a deadline that passed. Of one address nothing is ever taken out, and where all that could be called are out,
 * they are called all the same.
 * Source: https://github.com/grpc/proposal/blob/master/A50-xds-outlier-detection.md
 */
export interface OutlierOptions {
  /** How many calls in a row must go wrong. 0: that is not looked at. Default: 5. */
  readonly consecutiveFailures?: number;
  /** The share of calls within an interval that must go wrong, from 0 to 1. Above 1: not looked at. Default: 0.85. */
  readonly failureRate?: number;
  /** How many calls an interval must have for `failureRate` to say something. Default: 50. */
  readonly minCalls?: number;
  /** Milliseconds of an interval. Default: 10 000. */
  readonly intervalMs?: number;
  /** Milliseconds that an address is out for the first time; the nth time in a row n times as long. Default: 30 000. */
  readonly baseEjectionMs?: number;
  /** The most milliseconds that an address is out. Default: 300 000. */
  readonly maxEjectionMs?: number;
  /** The largest share of the addresses that is out at once, from 0 to 1, but always one of several. Default: 0.5. */
  readonly maxEjectedShare?: number;
  /**
   * A deadline that passes counts only when the call had at least as many milliseconds; a client that gives less
   * says nothing about the server. Default: 1 000.
   */
  readonly minDeadlineMs?: number;
}

/** What is known of one address. */
export interface OutlierRecord {
  /** Whether it is out now. */
  readonly isEjected: boolean;
  /** How often it was taken out, less one for each interval since then. */
  readonly ejections: number;
}

class AddressRecord implements OutlierRecord {
  consecutive = 0;
  failures = 0;
  calls = 0;
  ejections = 0;
  timer: Timer | undefined;

  get isEjected(): boolean {
    return this.timer !== undefined;
  }
}

/** Counts how the calls of some addresses end and tells which of them are taken out. */
export class OutlierDetection {
  readonly #options: Required<OutlierOptions>;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #records = new Set<AddressRecord>();
  #interval: Timer | undefined;

  /** `onChange` is called when an address goes out or comes back. */
  constructor(options: OutlierOptions, clock: Clock, onChange: () => void) {
    this.#options = {
      consecutiveFailures: options.consecutiveFailures ?? 5,
      failureRate: options.failureRate ?? 0.85,
      minCalls: options.minCalls ?? 50,
      intervalMs: options.intervalMs ?? 10_000,
      baseEjectionMs: options.baseEjectionMs ?? 30_000,
      maxEjectionMs: options.maxEjectionMs ?? 300_000,
      maxEjectedShare: options.maxEjectedShare ?? 0.5,
      minDeadlineMs: options.minDeadlineMs ?? 1_000,
    };
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** The record of an address that joins. */
  add(): OutlierRecord {
    const record = new AddressRecord();
    this.#records.add(record);
    return record;
  }

  /** The address is gone. */
  remove(record: OutlierRecord): void {
    if (!(record instanceof AddressRecord)) return;
    record.timer?.cancel();
    record.timer = undefined;
    this.#records.delete(record);
  }

  /** A call has ended with `code`; `timeout` is the milliseconds that it had. */
  report(record: OutlierRecord, code: number, timeout: number | undefined): void {
    // A client that leaves says nothing about the server.
    if (!(record instanceof AddressRecord) || code === Code.CANCELLED || !this.#records.has(record)) return;
    record.calls++;
    this.#interval ??= this.#clock.after(this.#options.intervalMs, () => this.#endInterval());
    if (!this.#isFailure(code, timeout)) {
      record.consecutive = 0;
      return;
    }
    record.failures++;
    record.consecutive++;
    const { consecutiveFailures } = this.#options;
    if (consecutiveFailures > 0 && record.consecutive >= consecutiveFailures && this.#eject(record)) {
      this.#onChange();
    }
  }

  /** Ends all timers. */
  stop(): void {
    this.#interval?.cancel();
    this.#interval = undefined;
    for (const record of this.#records) this.remove(record);
  }

  #isFailure(code: number, timeout: number | undefined): boolean {
    if (code === Code.DEADLINE_EXCEEDED) return (timeout ?? 0) >= this.#options.minDeadlineMs;
    return code === Code.UNAVAILABLE || code === Code.INTERNAL;
  }

  #endInterval(): void {
    this.#interval = undefined;
    const { failureRate, minCalls } = this.#options;
    let isChanged = false;
    let isNeeded = false;
    for (const record of this.#records) {
      const isOutlier = record.calls >= minCalls && record.failures >= failureRate * record.calls;
      isNeeded ||= record.calls > 0;
      record.calls = 0;
      record.failures = 0;
      if (isOutlier && this.#eject(record)) isChanged = true;
      else if (!record.isEjected && record.ejections > 0) record.ejections--;
      isNeeded ||= record.ejections > 0;
    }
    if (isNeeded) this.#interval = this.#clock.after(this.#options.intervalMs, () => this.#endInterval());
    if (isChanged) this.#onChange();
  }

  #eject(record: AddressRecord): boolean {
    if (record.isEjected || !this.#mayEject()) return false;
    const { baseEjectionMs, maxEjectionMs } = this.#options;
    record.ejections++;
    record.consecutive = 0;
    const time = Math.min(baseEjectionMs * record.ejections, maxEjectionMs);
    record.timer = this.#clock.after(time, () => {
      record.timer = undefined;
      this.#onChange();
    });
    return true;
  }

  #mayEject(): boolean {
    const { size } = this.#records;
    let ejected = 0;
    for (const { isEjected } of this.#records) if (isEjected) ejected++;
    return size > 1 && ejected < Math.max(1, Math.floor(size * this.#options.maxEjectedShare));
  }
}
