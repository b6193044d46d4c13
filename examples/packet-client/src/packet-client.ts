import { decodePackets, encodePackets, type Packet } from "./packet.ts";

/** What a client is told. */
export interface PacketHandlers {
  packet(packet: Packet): void;
  /** Connected; `missed` where the session is a new one, and what came meanwhile is not given. */
  open?(missed: boolean): void;
  /** The connection was lost; the client goes on trying. */
  away?(): void;
  /** The server does not want this client. */
  refused?(code: number, reason: string): void;
}

/** Packets that one message may have. */
const maxPackets = 64;

/** Packets that wait for a connection. */
const maxWaiting = 1_000;

/** The session to go on with is gone. */
const gone = 4410;

/**
 * A session of packets that survives the loss of its connection: it has a secret of its own, and says with each
 * connection how many packets it has had. Browsers and Node from 22 on have the WebSocket that it needs.
 */
export class PacketClient {
  readonly #url: string;
  readonly #handlers: PacketHandlers;
  #waiting: Packet[] = [];
  #socket: WebSocket | undefined;
  #key = createKey();
  #received = 0;
  #missed = false;
  #isClosed = false;

  /** Connects to `url`, such as `ws://127.0.0.1:8080/packets`. */
  constructor(url: string, handlers: PacketHandlers) {
    this.#url = url;
    this.#handlers = handlers;
    this.#open();
  }

  /** Sends a packet, or keeps it until there is a connection. Those of one turn leave in one message. */
  send(packet: Packet): void {
    if (this.#waiting.length >= maxWaiting)
      throw new RangeError(`${maxWaiting} packets wait for a connection`);
    if (this.#waiting.push(packet) === 1) queueMicrotask(() => this.#flush());
  }

  /** Ends the session. */
  close(): void {
    this.#isClosed = true;
    this.#socket?.close(1000);
  }

  #flush(): void {
    while (this.#socket?.readyState === WebSocket.OPEN && this.#waiting.length > 0)
      this.#socket.send(encodePackets(this.#waiting.splice(0, maxPackets)));
  }

  #open(): void {
    const url = new URL(this.#url);
    url.searchParams.set("resume", this.#key);
    url.searchParams.set("received", String(this.#received));
    const socket = new WebSocket(url, "sluice.packet.v1");
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      this.#handlers.open?.(this.#missed);
      this.#missed = false;
      this.#flush();
    });
    socket.addEventListener("message", ({ data }) => {
      for (const packet of decodePackets(data as ArrayBuffer)) {
        this.#received++;
        this.#handlers.packet(packet);
      }
    });
    socket.addEventListener("close", ({ code, reason }) => this.#lost(code, reason));
    this.#socket = socket;
  }

  #lost(code: number, reason: string): void {
    if (this.#isClosed) return;
    if (code === gone) {
      this.#key = createKey();
      this.#received = 0;
      this.#missed = true;
    } else if (code >= 4400 && code < 4500) {
      this.#isClosed = true;
      this.#handlers.refused?.(code, reason);
      return;
    }
    this.#handlers.away?.();
    setTimeout(
      () => {
        if (!this.#isClosed) this.#open();
      },
      250 + 500 * Math.random(),
    );
  }
}

function createKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
