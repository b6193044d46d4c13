import { systemClock, type Clock, type Session } from "@sluice/hub";
import { noMetadata, type Backend, type Http2Backend, type Metadata, type Status } from "@sluice/rpc";
import type { CircuitBreakerOptions } from "./circuit-breaker.ts";
import { SessionQueues } from "../session-queues.ts";
import { hookNames, type HookName } from "./hook.ts";

/** What the failure of a hook means to its client: it is refused, or nothing. */
export type OnFailure = "deny" | "ignore";

/** How Disconnects are told to a backend that was away. */
export interface DisconnectOptions {
  /** Disconnects a second, in the long run and at once. Default: 500. */
  readonly perSecond?: number;
  /** Disconnects that wait. Default: 100,000. Over it, a further one is given up. */
  readonly maxWaiting?: number;
  /** Milliseconds after which a Disconnect that was not answered is given up. Default: 600,000. */
  readonly giveUpMs?: number;
}

/** What happened at the callbacks that somebody should know. */
export type CallbackReport =
  /** The backend does not answer, and is asked from time to time only; or it answers again. */
  | { readonly kind: "away" | "back" }
  /** A hook has failed for a session, and what `onFailure` says was done. */
  | { readonly kind: "failed"; readonly hook: HookName; readonly session: Session; readonly status: Status }
  /** A Disconnect was given up: the backend may not know that the session is over. */
  | { readonly kind: "given_up"; readonly session: Session; readonly status: Status }
  /** An effect could not be carried out. */
  | {
      readonly kind: "effect";
      readonly session: Session;
      readonly effect: string;
      readonly problem: string;
      readonly cause?: unknown;
    }
  /** The backend answered something on a stream that nobody asked. */
  | { readonly kind: "stray"; readonly problem: string };

/** What callbacks are made of. */
export interface SessionCallbacksOptions {
  /** The gRPC server that implements sluice.session.v1.SessionHandler. */
  readonly backend: Backend & Partial<Pick<Http2Backend, "connect" | "onState">>;
  /** What the backend is called for; at least one. */
  readonly hooks: readonly HookName[];
  /** Where the order of each session is kept; the same as for `PacketMethods`. Default: its own. */
  readonly queues?: SessionQueues;
  /**
   * What a failure means: `connect` "deny" closes with 1013, "ignore" lets the client in as it is; `message` "deny" tells
   * the client that its message was refused, "ignore" acknowledges it; `resume` "deny" closes with 1013, "ignore" lets the
   * session go on. Default: deny, deny, ignore.
   */
  readonly onFailure?: Partial<Record<Exclude<HookName, "disconnect">, OnFailure>>;
  /** Milliseconds for one answer. Default: 3,000. */
  readonly deadlineMs?: number;
  /** Milliseconds for which a Message or a Resume may wait for a backend that is away or busy. Default: 15,000. */
  readonly waitMs?: number;
  /** The same for a Connect, within the hub's `openingMs`. Default: 6,000. */
  readonly connectWaitMs?: number;
  /** Events that the backend has at the same time, of all sessions. Default: 256. */
  readonly concurrency?: number;
  /** Effects in one answer; over it, none is carried out and the hook has failed. Default: 256. */
  readonly effects?: number;
  readonly breaker?: CircuitBreakerOptions;
  readonly disconnects?: DisconnectOptions;
  /** How many streams carry all events, in the place of a call for each. Default: 0, a call for each. */
  readonly streams?: number;
  /** Metadata of all calls, such as a token. Default: none. */
  readonly metadata?: Metadata;
  /** Told what somebody should know; for the log. */
  readonly report?: (report: CallbackReport) => void;
  /** Where time comes from. Default: the clock of this process. */
  readonly clock?: Clock;
  /** Numbers from 0 to 1, for the jitter of pauses. Default: `Math.random`. */
  readonly random?: () => number;
}

/** The options with all their defaults. */
export interface ResolvedCallbackOptions extends Required<
  Omit<SessionCallbacksOptions, "hooks" | "onFailure" | "disconnects">
> {
  readonly hooks: ReadonlySet<HookName>;
  readonly onFailure: Readonly<Record<Exclude<HookName, "disconnect">, OnFailure>>;
  readonly disconnects: Required<DisconnectOptions>;
}

const amounts = ["deadlineMs", "waitMs", "connectWaitMs", "concurrency", "effects"] as const;

/** Fills in the defaults. Throws a RangeError that names the option which cannot be meant. */
export function resolveCallbackOptions(options: SessionCallbacksOptions): ResolvedCallbackOptions {
  if (options.hooks.length === 0) throw new RangeError("callbacks.hooks is empty: name at least one hook");
  const unknown = options.hooks.find((hook) => !hookNames.includes(hook));
  if (unknown !== undefined) {
    throw new RangeError(`callbacks.hooks has ${unknown}: it knows ${hookNames.join(", ")}`);
  }
  const resolved: ResolvedCallbackOptions = {
    backend: options.backend,
    hooks: new Set(options.hooks),
    onFailure: { connect: "deny", message: "deny", resume: "ignore", ...options.onFailure },
    deadlineMs: options.deadlineMs ?? 3_000,
    waitMs: options.waitMs ?? 15_000,
    connectWaitMs: options.connectWaitMs ?? 6_000,
    concurrency: options.concurrency ?? 256,
    queues: options.queues ?? new SessionQueues(),
    effects: options.effects ?? 256,
    breaker: options.breaker ?? {},
    disconnects: {
      perSecond: options.disconnects?.perSecond ?? 500,
      maxWaiting: options.disconnects?.maxWaiting ?? 100_000,
      giveUpMs: options.disconnects?.giveUpMs ?? 600_000,
    },
    streams: options.streams ?? 0,
    metadata: options.metadata ?? noMetadata,
    report: options.report ?? ((): void => undefined),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
  for (const name of amounts) checkPositive(name, resolved[name]);
  for (const [name, value] of Object.entries({ ...resolved.breaker, ...resolved.disconnects })) {
    checkPositive(name, value);
  }
  if (!Number.isInteger(resolved.streams) || resolved.streams < 0 || resolved.streams > 64) {
    throw new RangeError(`callbacks.streams is ${resolved.streams}: it must be a whole number from 0 to 64`);
  }
  return resolved;
}

function checkPositive(name: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`callbacks.${name} is ${value}: it must be a number above 0`);
}
