import {
  type AcceptedCall,
  type AcceptedCallListener,
  type CallOpening,
  createServerMultiplex,
  type MultiplexLimits,
  type ServerMultiplex,
  type Status,
} from "@sluice/protocol";
import type { WebSocketConstructor, WebSocketLike } from "../../src/index.ts";

type Listener = (event: object) => void;

/** A call that a memory gateway took, with all that it was told of it. */
export interface TakenCall {
  readonly call: AcceptedCall;
  readonly opening: CallOpening;
  readonly messages: Uint8Array[];
  readonly ends: Status[];
  isHalfClosed: boolean;
  /** Called when there is room again. */
  drained: () => void;
}

/** A WebSocket in memory, with a multiplex server behind it; messages arrive in microtasks. */
export class MemorySocket implements WebSocketLike {
  protocol = "";
  binaryType = "blob";
  /** Bytes that do not leave, on top of none: a test says how many there are. */
  bufferedAmount = 0;
  /** While true, nothing passes in either direction, and nobody is told. */
  isCut = false;
  /** With what code and reason the client closed it. */
  closedWith: readonly [number | undefined, string | undefined] | undefined;
  /** Whether it is closed, by either side. */
  isOver = false;
  readonly url: string;
  /** Bytes of all messages that the client sent. */
  sentBytes = 0;
  readonly #listeners = new Map<string, Listener[]>();
  #server: ServerMultiplex | undefined;

  constructor(url: string) {
    this.url = url;
  }

  get server(): ServerMultiplex {
    if (this.#server === undefined) throw new Error("the socket is not open");
    return this.#server;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    const copy = data.slice();
    this.sentBytes += copy.length;
    queueMicrotask(() => {
      if (!this.isCut && this.closedWith === undefined) this.#server?.receive(copy);
    });
  }

  close(code?: number, reason?: string): void {
    this.closedWith ??= [code, reason];
    this.isOver = true;
    if (!this.isCut) this.#server?.closed(code ?? 1005, reason ?? "");
  }

  emit(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  /** The handshake succeeds, and a server speaks on it. */
  open(
    protocol: string,
    limits: Partial<MultiplexLimits>,
    accept: (call: AcceptedCall, opening: CallOpening) => AcceptedCallListener,
  ): void {
    this.protocol = protocol;
    this.emit("open", {});
    if (protocol === "") return;
    const wire = {
      send: (message: Uint8Array) => {
        const { buffer } = message.slice();
        queueMicrotask(() => this.emitData(buffer));
        return true;
      },
      close: (code: number, reason: string) => queueMicrotask(() => this.drop(code, reason)),
    };
    this.#server = createServerMultiplex(wire, { defer: queueMicrotask, limits, accept });
  }

  /** The server sends what it should not. */
  emitData(data: unknown): void {
    if (!this.isCut && this.closedWith === undefined) this.emit("message", { data });
  }

  /** The connection ends; 1006 is a lost one. */
  drop(code = 1006, reason = ""): void {
    this.isOver = true;
    this.#server?.closed(code, reason);
    if (!this.isCut) this.emit("close", { code, reason });
  }
}

/** What becomes of the attempts to connect. */
export type Mode = "accept" | "refuse" | "throw" | "silence" | "mute" | "no-protocol";

/** A gateway in memory: makes WebSockets, and takes the calls that come over them. */
export class MemoryGateway {
  mode: Mode = "accept";
  limits: Partial<MultiplexLimits> = {};
  readonly sockets: MemorySocket[] = [];
  readonly calls: TakenCall[] = [];
  /** Told of each call; what it does there is what the service does. */
  service: (taken: TakenCall) => Partial<AcceptedCallListener> = () => ({});
  readonly webSocket: WebSocketConstructor;

  constructor() {
    const begin = (socket: MemorySocket): void => {
      if (this.mode === "throw") throw new Error("SecurityError");
      this.sockets.push(socket);
      queueMicrotask(() => this.#answer(socket));
    };
    this.webSocket = class extends MemorySocket {
      constructor(url: string) {
        super(url);
        begin(this);
      }
    };
  }

  /** The socket that was made last. */
  get last(): MemorySocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nobody has connected");
    return socket;
  }

  #answer(socket: MemorySocket): void {
    if (this.mode === "refuse") {
      socket.emit("error", { message: "refused" });
      socket.drop(1006);
    } else if (this.mode === "mute") {
      socket.protocol = "sluice.v1";
      socket.emit("open", {});
    } else if (this.mode !== "silence") {
      const protocol = this.mode === "no-protocol" ? "" : "sluice.v1";
      socket.open(protocol, this.limits, (call, opening) => this.#take(call, opening));
    }
  }

  #take(call: AcceptedCall, opening: CallOpening): AcceptedCallListener {
    const taken: TakenCall = {
      call,
      opening,
      messages: [],
      ends: [],
      isHalfClosed: false,
      drained: () => {},
    };
    this.calls.push(taken);
    const own = this.service(taken);
    return {
      message: (bytes) => {
        taken.messages.push(bytes.slice());
        own.message?.(bytes);
      },
      halfClose: () => {
        taken.isHalfClosed = true;
        own.halfClose?.();
      },
      drain: () => taken.drained(),
      end: (status) => {
        taken.ends.push(status);
        own.end?.(status);
      },
    };
  }
}
