import { Code } from "@sluice/protocol";
import { systemClock, type Timer } from "../backend/clock.ts";
import type { Backend, Call, CallListener, CallStart } from "../call/call.ts";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, okStatus, type Status } from "../call/status.ts";

/** One call, as a service inside the gateway answers it. After its end every method does nothing. */
export interface ServiceCall {
  readonly metadata: Metadata;
  /** Sends one reply as protobuf bytes, which the call owns from then on. */
  send(message: Uint8Array): void;
  /** After a `message` that was answered with false: says that there is room again. */
  drain(): void;
  /** Ends the call; default: OK. */
  end(status?: Status, trailers?: Metadata): void;
}

/** What a service is told of a call. It may answer at once, or whenever it likes. */
export interface ServiceListener {
  /** One request message as protobuf bytes. False: the client is to pause until `ServiceCall.drain`. */
  message(bytes: Uint8Array): boolean | void;
  /** No further message follows. */
  halfClose(): void;
  /** The call is over before it was answered: the client left, or its deadline passed. */
  cancelled?(): void;
}

/** A method of a service inside the gateway: it is given each call, and tells who listens to it. */
export type ServiceMethod = (call: ServiceCall) => ServiceListener;

const shuttingDown = createStatus(Code.UNAVAILABLE, "the gateway is shutting down");

/** Replies that wait while the client reads none, in bytes; more end the call with RESOURCE_EXHAUSTED. */
const maxWaitingBytes = 4 * 1024 * 1024;

/**
 * A backend inside the gateway: its methods by path (`/package.Service/Method`). A path that it does not have is
 * UNIMPLEMENTED.
 */
export class ServiceBackend implements Backend {
  readonly #methods: ReadonlyMap<string, ServiceMethod>;
  readonly #calls = new Set<LocalCall>();
  #closed = false;

  constructor(methods: ReadonlyMap<string, ServiceMethod>) {
    this.#methods = methods;
  }

  open(start: CallStart, listener: CallListener): Call {
    const { path } = start.method;
    const method = this.#methods.get(path);
    const call = new LocalCall(start, listener, () => this.#calls.delete(call));
    this.#calls.add(call);
    if (this.#closed) call.answer(shuttingDown, noMetadata);
    else if (method !== undefined) call.begin(method);
    else call.answer(createStatus(Code.UNIMPLEMENTED, `the gateway has no method ${path}`), noMetadata);
    return call;
  }

  /** Services answer at once or never, so nothing is waited for. */
  close(): Promise<void> {
    this.#closed = true;
    for (const call of this.#calls) call.cancel(shuttingDown);
    return Promise.resolve();
  }
}

/** What a service has said and the dialect has not heard. */
type Said = Uint8Array | { readonly status: Status; readonly trailers: Metadata };

/** The dialect's side of a call, and what the service says, on its way to the listener. */
class LocalCall implements Call {
  readonly #listener: CallListener;
  readonly #over: () => void;
  readonly #timer: Timer | undefined;
  readonly #metadata: Metadata;
  #service: ServiceListener | undefined;
  #said: Said[] = [];
  #saidBytes = 0;
  /** `answered`: the service has ended the call, and the listener has not heard it yet. */
  #state: "open" | "answered" | "over" = "open";
  #paused = false;
  #begun = false;
  #scheduled = false;

  constructor(start: CallStart, listener: CallListener, over: () => void) {
    this.#metadata = start.metadata;
    this.#listener = listener;
    this.#over = over;
    const { timeout } = start;
    if (timeout === undefined) return;
    const late = createStatus(Code.DEADLINE_EXCEEDED, `the deadline of ${timeout} ms passed`);
    this.#timer = systemClock.after(timeout, () => this.cancel(late));
  }

  begin(method: ServiceMethod): void {
    this.#service = method({
      metadata: this.#metadata,
      send: (message) => this.#reply(message),
      drain: () => {
        if (this.#state === "open") this.#listener.drain();
      },
      end: (status = okStatus, trailers = noMetadata) => this.answer(status, trailers),
    });
  }

  send(message: Uint8Array): boolean {
    return this.#state !== "open" || this.#service?.message(message) !== false;
  }

  halfClose(): void {
    if (this.#state === "open") this.#service?.halfClose();
  }

  cancel(status: Status = createStatus(Code.CANCELLED, "the call was cancelled")): void {
    if (this.#state === "over") return;
    const wasOpen = this.#state === "open";
    this.#finish(status, noMetadata);
    if (wasOpen) this.#service?.cancelled?.();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#flush();
  }

  /** The service ends the call. */
  answer(status: Status, trailers: Metadata): void {
    if (this.#state !== "open") return;
    this.#state = "answered";
    this.#say({ status, trailers });
  }

  #reply(message: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#saidBytes += message.length;
    if (this.#saidBytes > maxWaitingBytes) {
      const full = `more than ${maxWaitingBytes} bytes of replies wait for a client that does not read`;
      this.cancel(createStatus(Code.RESOURCE_EXHAUSTED, full));
      return;
    }
    this.#say(message);
  }

  // A listener hears nothing before `open` has returned, so never in the same tick.
  #say(said: Said): void {
    this.#said.push(said);
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#paused && this.#state !== "over") {
      const said = this.#said.shift();
      if (said === undefined) return;
      if (said instanceof Uint8Array) {
        this.#saidBytes -= said.length;
        if (!this.#begun) {
          this.#begun = true;
          this.#listener.headers(noMetadata);
        }
        this.#listener.message(said);
      } else {
        this.#finish(said.status, said.trailers);
      }
    }
  }

  #finish(status: Status, trailers: Metadata): void {
    this.#state = "over";
    this.#said = [];
    this.#timer?.cancel();
    this.#over();
    this.#listener.end(status, trailers);
  }
}
