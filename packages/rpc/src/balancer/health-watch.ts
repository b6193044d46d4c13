import { create, fromBinary, toBinary, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { Code, nameOfCode } from "@sluice/protocol";
import { backoffDelay, type BackoffOptions } from "../backend/backoff.ts";
import type { Clock, Timer } from "../backend/clock.ts";
import type { Backend, Call, CallListener } from "../call/call.ts";
import { noMetadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { Method } from "../schema/method.ts";
import { methodFrom } from "../schema/schema.ts";
import { ownRegistry } from "../schema/well-known-files.ts";
import { ServingStatus } from "../services/health-service.ts";

/**
 * Asks each address with grpc.health.v1.Health/Watch whether it wants calls. An address gets none before it has
 * answered SERVING. One that has no such service counts as healthy.
 * Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export interface HealthOptions {
  /** The service that is asked for. Default: the empty name, which is the server as a whole. */
  readonly service?: string;
  /** Milliseconds that the first answer may take; then the address counts as unhealthy. Default: 10 000. */
  readonly timeoutMs?: number;
  /** How long to wait until the next Watch after one has ended. Default: from 1 000 ms, up to 120 000 ms. */
  readonly backoff?: BackoffOptions;
}

/** What a server says of itself: `unknown` until its first answer. */
export type Health =
  | { readonly kind: "unknown" | "serving" }
  | { readonly kind: "not_serving"; readonly reason: string };

type HealthCheckRequest = Message & { service: string };
type HealthCheckResponse = Message & { status: number };

type State =
  | { readonly kind: "stopped" | "unsupported" }
  | { readonly kind: "watching"; readonly call: Call; readonly timer: Timer }
  | { readonly kind: "resting"; readonly timer: Timer };

const unknown: Health = { kind: "unknown" };
const serving: Health = { kind: "serving" };
const slowest: BackoffOptions = { initialMs: 1_000, maxMs: 120_000 };

/** Follows the health of one server for as long as there is a connection to it. */
export class HealthWatch {
  readonly #backend: Backend;
  readonly #options: HealthOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onChange: () => void;
  #health: Health = unknown;
  #state: State = { kind: "stopped" };
  #failures = 0;

  /** `onChange` is called whenever `health` answers something new, though never by `start` and `stop`. */
  constructor(
    backend: Backend,
    options: HealthOptions,
    clock: Clock,
    random: () => number,
    onChange: () => void,
  ) {
    this.#backend = backend;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#onChange = onChange;
  }

  get health(): Health {
    return this.#health;
  }

  /** There is a connection: asks, unless it does already. */
  start(): void {
    if (this.#state.kind !== "stopped") return;
    this.#failures = 0;
    this.#watch();
  }

  /** The connection is gone, and with it what was known. */
  stop(): void {
    const state = this.#state;
    this.#state = { kind: "stopped" };
    this.#health = unknown;
    if (state.kind === "watching" || state.kind === "resting") state.timer.cancel();
    if (state.kind === "watching") state.call.cancel();
  }

  #watch(): void {
    const { service = "", timeoutMs = 10_000 } = this.#options;
    const { method, input, output } = watchMethod();
    let isAnswered = false;
    const late = createStatus(Code.DEADLINE_EXCEEDED, `no answer within ${timeoutMs} ms`);
    const timer = this.#clock.after(timeoutMs, () => call.cancel(late));
    const listener: CallListener = {
      headers: () => {},
      message: (bytes) => {
        if (this.#state.kind !== "watching" || this.#state.call !== call) return;
        timer.cancel();
        isAnswered = true;
        this.#failures = 0;
        const health = healthFrom(output, bytes);
        if (health === undefined) call.cancel(malformed);
        else this.#set(health);
      },
      drain: () => {},
      end: (status) => {
        if (this.#state.kind !== "watching" || this.#state.call !== call) return;
        timer.cancel();
        this.#ended(status, isAnswered);
      },
    };
    const call = this.#backend.open({ method, metadata: noMetadata }, listener);
    this.#state = { kind: "watching", call, timer };
    call.send(toBinary(input, create(input, { service })));
    call.halfClose();
  }

  #ended(status: Status, isAnswered: boolean): void {
    if (status.code === Code.UNIMPLEMENTED) {
      this.#state = { kind: "unsupported" };
      this.#set(serving);
      return;
    }
    this.#failures++;
    const delay = backoffDelay(this.#failures, this.#random, { ...slowest, ...this.#options.backoff });
    this.#state = { kind: "resting", timer: this.#clock.after(delay, () => this.#watch()) };
    // A server may end its streams from time to time: what it said last holds until it can be asked again.
    if (!isAnswered || status === malformed) this.#set(failed(status));
  }

  #set(health: Health): void {
    const before = this.#health;
    this.#health = health;
    const isSame =
      before.kind === "not_serving" && health.kind === "not_serving"
        ? before.reason === health.reason
        : before.kind === health.kind;
    if (!isSame) this.#onChange();
  }
}

const malformed = createStatus(Code.INTERNAL, "its answer is not a HealthCheckResponse");

function failed({ code, message }: Status): Health {
  return {
    kind: "not_serving",
    reason: `its health check failed with ${nameOfCode(code)}${message === "" ? "" : `: ${message}`}`,
  };
}

function healthFrom(output: GenMessage<HealthCheckResponse>, bytes: Uint8Array): Health | undefined {
  try {
    const { status } = fromBinary(output, bytes);
    if (status === ServingStatus.SERVING) return serving;
    const [name = String(status)] = Object.entries(ServingStatus).find(([, value]) => value === status) ?? [];
    return { kind: "not_serving", reason: `its health is ${name}` };
  } catch {
    return undefined;
  }
}

interface WatchMethod {
  readonly method: Method;
  readonly input: GenMessage<HealthCheckRequest>;
  readonly output: GenMessage<HealthCheckResponse>;
}

let known: WatchMethod | undefined;

function watchMethod(): WatchMethod {
  if (known !== undefined) return known;
  const service = ownRegistry().getService("grpc.health.v1.Health");
  const desc = service?.methods.find(({ name }) => name === "Watch");
  if (desc === undefined) throw new Error("the descriptors of grpc.health.v1 are missing");
  known = {
    method: methodFrom(desc),
    input: desc.input as unknown as GenMessage<HealthCheckRequest>,
    output: desc.output as unknown as GenMessage<HealthCheckResponse>,
  };
  return known;
}
