import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** What a fault proxy does to the bytes that pass; all of it may be changed at any time. */
export interface Fault {
  /** Nothing passes, in either direction, and nothing is read: the buffers of both peers fill up. Default: false. */
  readonly stall?: boolean;
  /** Milliseconds by which everything is late. Default: 0. */
  readonly latencyMs?: number;
  /** Writes pieces of at most so many bytes, each in a turn of its own. Default: no limit. */
  readonly pieceBytes?: number;
  /** Neither peer hears that the other has ended, closed or reset its connection. Default: false. */
  readonly halfOpen?: boolean;
}

/** A TCP proxy that spoils connections on demand. */
export interface FaultProxy {
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /** Connections of clients: those that are open, and all since the start. */
  readonly connections: { readonly open: number; readonly accepted: number };
  /** Puts another fault in the place of the one that was; `{}` lets everything pass. Holds for all connections. */
  set(fault: Fault): void;
  /** Resets all connections at once, on both sides (RST). */
  reset(): void;
  /** Cuts all connections and stops listening. */
  close(): Promise<void>;
}

interface Item {
  readonly event: Buffer | "end" | "reset" | "close";
  readonly due: number;
}

function split(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += size) pieces.push(bytes.subarray(start, start + size));
  return pieces;
}

/** One direction of one connection: what one socket does reaches the other in order, but for the fault. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #queue: Item[] = [];
  #fault: Fault;
  #isFull = false;
  #isScheduled = false;

  constructor(from: Socket, to: Socket, fault: Fault) {
    this.#from = from;
    this.#to = to;
    this.#fault = fault;
    from.on("data", (bytes: Buffer) => {
      for (const piece of split(bytes, this.#fault.pieceBytes ?? Infinity)) this.#push(piece);
    });
    from.on("end", () => this.#push("end"));
    from.on("error", () => this.#push("reset"));
    from.on("close", () => this.#push("close"));
    to.on("drain", () => {
      this.#isFull = false;
      this.#advance();
    });
  }

  set(fault: Fault): void {
    this.#fault = fault;
    this.#advance();
  }

  #push(event: Item["event"]): void {
    this.#queue.push({ event, due: performance.now() + (this.#fault.latencyMs ?? 0) });
    this.#advance();
  }

  /** Hands over what is due, and reads no more than can be written. */
  #advance(): void {
    while (!this.#isScheduled && this.#isOpen()) {
      const [item] = this.#queue;
      if (item === undefined) break;
      const wait = item.due - performance.now();
      if (wait > 0) {
        this.#schedule((run) => setTimeout(run, wait));
      } else {
        this.#queue.shift();
        this.#apply(item.event);
        if (this.#fault.pieceBytes !== undefined) this.#schedule(setImmediate);
      }
    }
    if (this.#isOpen()) this.#from.resume();
    else this.#from.pause();
  }

  #isOpen(): boolean {
    return this.#fault.stall !== true && !this.#isFull;
  }

  #schedule(later: (run: () => void) => unknown): void {
    this.#isScheduled = true;
    later(() => {
      this.#isScheduled = false;
      this.#advance();
    });
  }

  #apply(event: Item["event"]): void {
    if (typeof event !== "string") this.#isFull = !this.#to.write(event) && !this.#to.destroyed;
    else if (this.#fault.halfOpen === true) return;
    else if (event === "end") this.#to.end();
    else if (event === "reset") this.#to.resetAndDestroy();
    else this.#to.destroySoon();
  }
}

/** Starts a proxy on 127.0.0.1 to `target` (`host:port`); without a fault it is only slow by a hop. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const at = target.lastIndexOf(":");
  const host = target.slice(0, at).replace(/^\[|\]$/g, "");
  const sockets = new Set<Socket>();
  const directions = new Set<Direction>();
  let fault: Fault = {};
  let accepted = 0;
  let open = 0;

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const server = connect({ host, port: Number(target.slice(at + 1)), allowHalfOpen: true, noDelay: true });
    accepted++;
    open++;
    client.on("close", () => open--);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const direction = new Direction(from, to, fault);
      directions.add(direction);
      sockets.add(from);
      from.on("close", () => {
        directions.delete(direction);
        sockets.delete(from);
      });
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };

  return {
    port,
    address: `127.0.0.1:${port}`,
    connections: {
      get open() {
        return open;
      },
      get accepted() {
        return accepted;
      },
    },
    set(next) {
      fault = next;
      for (const direction of directions) direction.set(next);
    },
    reset,
    async close() {
      const closed = once(listener, "close");
      listener.close();
      reset();
      await closed;
    },
  };
}
