import {
  type AcceptedCall,
  type AcceptedCallListener,
  type CallListener,
  type CallOpening,
  type ClientMultiplex,
  type ClientMultiplexOptions,
  createClientMultiplex,
  createServerMultiplex,
  type Metadata,
  type MultiplexLimits,
  type ServerMultiplex,
  type Status,
  type Wire,
} from "../src/index.ts";

/** What runs later, in the order of a script: nothing happens but by `run`. */
export class Loop {
  readonly #tasks: (() => void)[] = [];
  readonly defer = (task: () => void): void => {
    this.#tasks.push(task);
  };

  /** Runs one task; `choose` picks it among so many. */
  step(choose: (count: number) => number = () => 0): boolean {
    const [task] = this.#tasks.splice(choose(this.#tasks.length), 1);
    task?.();
    return task !== undefined;
  }

  /** Runs until nothing is left to do. */
  run(): void {
    while (this.step());
  }
}

/** A WebSocket in memory, one direction of it: keeps what is sent, in order, until it is delivered. */
export class MemoryWire implements Wire {
  /** Messages that wait; from this many on, `send` answers false. */
  capacity = 4;
  readonly waiting: Uint8Array[] = [];
  readonly sent: Uint8Array[] = [];
  closing: { readonly code: number; readonly reason: string } | undefined;
  #isBlocked = false;

  send(message: Uint8Array): boolean {
    const copy = message.slice();
    this.waiting.push(copy);
    this.sent.push(copy);
    this.#isBlocked = this.waiting.length >= this.capacity;
    return !this.#isBlocked;
  }

  close(code: number, reason: string): void {
    this.closing = { code, reason };
  }

  /** Takes the next message out; `drained` is called where there is room again. */
  take(drained: () => void): Uint8Array | undefined {
    const message = this.waiting.shift();
    if (this.#isBlocked && this.waiting.length < this.capacity) {
      this.#isBlocked = false;
      drained();
    }
    return message;
  }
}

/** Everything that a listener of either side was told, in order. */
export class Recorder implements CallListener, AcceptedCallListener {
  readonly messages: Uint8Array[] = [];
  headersSeen: Metadata | undefined;
  drains = 0;
  halfCloses = 0;
  readonly ends: Status[] = [];
  trailers: Metadata | undefined;

  headers(metadata: Metadata): void {
    this.headersSeen = metadata;
  }
  message(bytes: Uint8Array): void {
    this.messages.push(bytes.slice());
  }
  halfClose(): void {
    this.halfCloses++;
  }
  drain(): void {
    this.drains++;
  }
  end(status: Status, trailers?: Metadata): void {
    this.ends.push(status);
    this.trailers = trailers;
  }
}

/** A call that a server accepted. */
export interface Accepted {
  readonly call: AcceptedCall;
  readonly opening: CallOpening;
  readonly record: Recorder;
}

/** A client and a server, back to back in memory. */
export class Pair {
  readonly loop: Loop = new Loop();
  readonly up: MemoryWire = new MemoryWire();
  readonly down: MemoryWire = new MemoryWire();
  readonly client: ClientMultiplex;
  readonly server: ServerMultiplex;
  readonly accepted: Accepted[] = [];
  readonly goAways: string[] = [];

  constructor(
    options: {
      readonly client?: Partial<MultiplexLimits>;
      readonly server?: Partial<MultiplexLimits>;
      readonly accept?: (accepted: Accepted) => AcceptedCallListener;
      readonly clientOptions?: Partial<ClientMultiplexOptions>;
    } = {},
  ) {
    const { defer } = this.loop;
    this.client = createClientMultiplex(this.up, {
      defer,
      limits: options.client ?? {},
      goAway: (reason) => this.goAways.push(reason),
      ...options.clientOptions,
    });
    this.server = createServerMultiplex(this.down, {
      defer,
      limits: options.server ?? {},
      accept: (call, opening) => {
        const accepted = { call, opening, record: new Recorder() };
        this.accepted.push(accepted);
        return options.accept?.(accepted) ?? accepted.record;
      },
    });
  }

  /** Delivers the next message of one direction; false where there is none. */
  deliver(from: "client" | "server"): boolean {
    const isUp = from === "client";
    const wire = isUp ? this.up : this.down;
    const message = wire.take(() => (isUp ? this.client : this.server).drain());
    if (message !== undefined) {
      (isUp ? this.server : this.client).receive(message);
      return true;
    }
    if (wire.closing === undefined) return false;
    const { code, reason } = wire.closing;
    wire.closing = undefined;
    this.client.closed(code, reason);
    this.server.closed(code, reason);
    return true;
  }

  /** Delivers everything, until both sides wait. */
  settle(): void {
    do this.loop.run();
    while (this.deliver("client") || this.deliver("server"));
  }
}

/** So many bytes, each different from its neighbours. */
export function bytesOf(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + seed) >> (index & 3);
  return bytes;
}
