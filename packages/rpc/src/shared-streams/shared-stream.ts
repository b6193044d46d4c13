import { Code } from "@sluice/protocol";
import type { Backend, Call, CallListener, CallStart } from "../call/call.ts";
import type { Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { ResolvedShareRule } from "./share-rule.ts";
import type { SharedRequest, Subscriber, Subscription } from "./subscriber.ts";

/** What a shared stream is made of. */
export interface SharedStreamOptions {
  readonly backend: Backend;
  readonly rule: ResolvedShareRule;
  readonly request: SharedRequest;
  /** Told once, when nobody may join any more. */
  readonly over: () => void;
}

const lastLeft = createStatus(Code.CANCELLED, "the last client of the shared stream has left");

/** One call of the backend, and all clients that it answers. */
export class SharedStream implements CallListener, Subscription {
  readonly #rule: ResolvedShareRule;
  readonly #over: () => void;
  readonly #call: Call;
  /** The clients, each with the number of messages that came before it. */
  readonly #subscribers = new Map<Subscriber, number>();
  #headers: Metadata | undefined;
  #latest: Uint8Array | undefined;
  #messages = 0;

  /** Opens the call. */
  constructor({ backend, rule, request, over }: SharedStreamOptions) {
    this.#rule = rule;
    this.#over = over;
    this.#call = backend.open(upstreamStart(request.start, rule), this);
    this.#call.send(request.bytes, request.isCompressed);
    this.#call.halfClose();
  }

  /** How many clients listen. */
  get size(): number {
    return this.#subscribers.size;
  }

  /** Adds a client, which gets what comes from now on; and the latest message, where the rule says so. */
  join(subscriber: Subscriber): void {
    this.#subscribers.set(subscriber, this.#messages);
    if (this.#headers !== undefined) subscriber.begin(this.#headers);
    if (this.#latest !== undefined) subscriber.deliver(this.#latest);
  }

  leave(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber) || this.#subscribers.size > 0) return;
    this.#over();
    this.#call.cancel(lastLeft);
  }

  headers(metadata: Metadata): void {
    this.#headers = metadata;
    for (const subscriber of this.#subscribers.keys()) subscriber.begin(metadata);
  }

  message(bytes: Uint8Array): void {
    if (this.#rule.replay) this.#latest = bytes;
    const number = ++this.#messages;
    // Who joins meanwhile is not told now.
    for (const [subscriber, before] of this.#subscribers) if (before < number) subscriber.deliver(bytes);
  }

  drain(): void {
    // There is one message to send, and it was sent.
  }

  end(status: Status, trailers: Metadata): void {
    const subscribers = [...this.#subscribers.keys()];
    this.#subscribers.clear();
    if (subscribers.length > 0) this.#over();
    for (const subscriber of subscribers) subscriber.end(status, trailers);
  }
}

/** What the backend is told: the stream has no deadline, and no metadata but what all of its clients have in common. */
function upstreamStart({ method, metadata, encoding }: CallStart, { per }: ResolvedShareRule): CallStart {
  const common: Record<string, string | readonly string[]> = {};
  for (const name of per) {
    const value = metadata[name];
    if (value !== undefined) common[name] = value;
  }
  return { method, metadata: common, ...(encoding === undefined ? {} : { encoding }) };
}
