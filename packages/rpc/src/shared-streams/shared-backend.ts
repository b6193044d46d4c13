import { createHash } from "node:crypto";
import type { Backend, Call, CallListener, CallStart } from "../call/call.ts";
import type { Method } from "../schema/method.ts";
import { resolveShareRule, type ResolvedShareRule, type ShareRules } from "./share-rule.ts";
import { SharedStream } from "./shared-stream.ts";
import { Subscriber, type SharedRequest, type Subscription } from "./subscriber.ts";

/** What a backend has shared at this moment. */
export interface SharedCounts {
  /** Calls of the backend that are shared. */
  readonly streams: number;
  /** Clients that listen to them. */
  readonly clients: number;
}

/**
 * A backend that opens the streams of some methods once for all clients that ask for the same: the first one opens the
 * call, the others join it, each message is told to all, and the call ends when the last one leaves. It is never paused:
 * what becomes of a client that reads slowly, the rule of the method says. All other calls pass as they are.
 */
export class SharedBackend implements Backend {
  readonly #backend: Backend;
  readonly #rules: ReadonlyMap<string, ResolvedShareRule>;
  readonly #streams = new Map<string, SharedStream>();

  constructor(backend: Backend, rules: ShareRules) {
    this.#backend = backend;
    this.#rules = new Map([...rules].map(([path, rule]) => [path, resolveShareRule(rule)]));
  }

  get acceptEncodings(): ReadonlySet<string> {
    return this.#backend.acceptEncodings ?? new Set();
  }

  /** What is shared at this moment. */
  get counts(): SharedCounts {
    let clients = 0;
    for (const stream of this.#streams.values()) clients += stream.size;
    return { streams: this.#streams.size, clients };
  }

  shares({ kind, path }: Method): boolean {
    return kind === "server_streaming" && this.#rules.has(path);
  }

  open(start: CallStart, listener: CallListener): Call {
    const rule = this.shares(start.method) ? this.#rules.get(start.method.path) : undefined;
    if (rule === undefined) return this.#backend.open(start, listener);
    return new Subscriber(listener, {
      start,
      rule,
      join: (subscriber, request) => this.#join(subscriber, request, rule),
    });
  }

  close(graceMs: number): Promise<void> {
    return this.#backend.close(graceMs);
  }

  #join(subscriber: Subscriber, request: SharedRequest, rule: ResolvedShareRule): Subscription {
    const key = keyOf(request, rule);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      const over = (): void => void this.#streams.delete(key);
      stream = new SharedStream({ backend: this.#backend, rule, request, over });
      this.#streams.set(key, stream);
    }
    stream.join(subscriber);
    return stream;
  }
}

/** What is the same for all clients of one stream, and for no others. */
function keyOf({ start, bytes, isCompressed }: SharedRequest, { per }: ResolvedShareRule): string {
  const identity = per.map((name) => [start.metadata[name] ?? []].flat());
  const words = [start.method.path, isCompressed ? (start.encoding ?? "") : "", identity];
  return createHash("sha256").update(JSON.stringify(words)).update("\0").update(bytes).digest("base64");
}
