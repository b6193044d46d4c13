import type { OutgoingHttpHeaders } from "node:http2";
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ClientSession } from "../http2/client-session.ts";
import type { ClientStream, StreamListener } from "../http2/client-stream.ts";
import { errorCode } from "../http2/frame.ts";
import type { Timer } from "./clock.ts";
import { describeClose, describeConnectionError, type Attempted } from "./connection-error.ts";
import { Keepalive } from "./keepalive.ts";
import type { ResolvedOptions } from "./options.ts";
import { nameOfErrorCode } from "./response-status.ts";
import type { Target } from "./target.ts";
import type { ResolvedTls } from "./tls.ts";

/** What a connection tells the pool that it belongs to. */
export interface ConnectionListener {
  /** The settings of the backend have arrived: calls may be made. */
  ready(connection: Connection): void;
  /** There may be room for a call again. */
  room(connection: Connection): void;
  /** No further call may be made on it, by the backend's wish or by `drain`; those that run go on. */
  draining(connection: Connection): void;
  /** The backend wants fewer keepalive pings, and ends the connection for that. */
  tooManyPings(): void;
  /** It is gone, with all its calls. */
  closed(connection: Connection, reason: string): void;
}

type State =
  | { readonly kind: "connecting"; readonly timeout: Timer }
  | { readonly kind: "ready"; readonly keepalive: Keepalive }
  | { readonly kind: "draining"; readonly keepalive: Keepalive; readonly reason: string }
  | { readonly kind: "closed"; readonly reason: string };

/** HTTP/2 has 2^30 streams for a client; long before that the connection makes way for a new one. */
const mostStreams = 1_000_000_000;

/** After how many milliseconds of silence the operating system asks whether the peer is there. */
const tcpKeepaliveMs = 20_000;

/**
 * For how many milliseconds a cancelled stream still counts where streams are limited. A server that reads the
 * reset and the next stream at once may take the next for one too many (Node does, and answers ENHANCE_YOUR_CALM).
 */
const cancelledStreamMs = 50;

/** One HTTP/2 connection to a backend, and how many calls it has. */
export class Connection {
  readonly name: string;
  readonly #options: ResolvedOptions;
  readonly #listener: ConnectionListener;
  readonly #tls: Attempted["tls"];
  readonly #socket: Socket;
  readonly #session: ClientSession;
  #state: State;
  #open = 0;
  #opened = 0;
  #limit = 0;
  #maxHeaderListBytes = Number.POSITIVE_INFINITY;
  #readyAt: number | undefined;
  /** What went wrong first; everything that follows from it says less. */
  #reason: string | undefined;
  /** From the backend's GOAWAY: it has not looked at streams above this. */
  #lastStreamId = Number.POSITIVE_INFINITY;

  /** `name` is the address of the backend, for messages. */
  constructor(name: string, target: Target, options: ResolvedOptions, listener: ConnectionListener) {
    this.name = name;
    this.#options = options;
    this.#listener = listener;
    const { tls } = options;
    this.#tls = tls === undefined ? "none" : tls.hasCertificate ? "identified" : "anonymous";
    this.#socket = openSocket(target, tls, (chunk) => this.#session.receive(chunk));
    this.#socket.setNoDelay(true).setKeepAlive(true, tcpKeepaliveMs);
    this.#socket.on("error", (error) => this.#failed(error));
    // What is written to a peer that has said its last waits for nobody; before HTTP/2 is agreed TLS says more of it.
    this.#socket.once("end", () => {
      if (this.#state.kind !== "connecting") this.#closed();
    });
    this.#socket.once("close", () => this.#closed());
    this.#session = new ClientSession(this.#socket, options, {
      settings: (maxConcurrentStreams, maxHeaderListBytes) => {
        this.#limit = maxConcurrentStreams;
        this.#maxHeaderListBytes = maxHeaderListBytes;
        this.#settled();
      },
      goaway: (code, lastStreamId, data) => this.#goaway(code, lastStreamId, data),
      failed: (error) => this.#failed(error),
    });
    this.#socket.once(tls === undefined ? "connect" : "secureConnect", () => this.#session.begin());

    const { connectTimeoutMs, clock } = options;
    this.#state = {
      kind: "connecting",
      timeout: clock.after(connectTimeoutMs, () =>
        this.destroy(`no HTTP/2 connection after ${connectTimeoutMs} ms`),
      ),
    };
  }

  /** Whether a call may be opened now. */
  get hasRoom(): boolean {
    return this.#state.kind === "ready" && this.#open < this.#limit && !this.#session.isClosed;
  }

  /** How many calls the backend allows at once. */
  get limit(): number {
    return this.#limit;
  }

  get openCalls(): number {
    return this.#open;
  }

  /** The largest list of headers that the backend takes, in bytes as `metadataBytes` counts them. */
  get maxHeaderListBytes(): number {
    return this.#maxHeaderListBytes;
  }

  /** Milliseconds since it became ready; 0 when it never was. */
  get age(): number {
    return this.#readyAt === undefined ? 0 : this.#options.clock.now() - this.#readyAt;
  }

  /** Why the connection and with it every stream has ended, or undefined as long as it has not. */
  get lostReason(): string | undefined {
    if (this.#state.kind === "closed") return this.#state.reason;
    return this.#session.isDestroyed ? (this.#reason ?? "it was closed") : undefined;
  }

  /** Opens a stream; `hasRoom` must be true. Each one is given back with `release` when it has closed. */
  request(headers: OutgoingHttpHeaders, listener: StreamListener): ClientStream {
    const stream = this.#session.request(headers, listener);
    this.#open++;
    this.#opened++;
    if (this.#opened >= mostStreams) this.drain("the connection has used up its stream identifiers");
    return stream;
  }

  /** Says that a stream of `request` has closed, and whether by this side, which the backend has yet to learn. */
  release(isCancelled: boolean): void {
    if (isCancelled && Number.isFinite(this.#limit) && this.#state.kind === "ready") {
      this.#options.clock.after(cancelledStreamMs, () => this.release(false));
      return;
    }
    this.#open--;
    this.#listener.room(this);
  }

  /** Whether the stream never left, or the backend has said that it did not look at it. */
  isUnprocessed(stream: ClientStream): boolean {
    return stream.id > this.#lastStreamId || !this.#session.hasSent(stream);
  }

  /** Makes no further call; closes when those that run have ended. */
  drain(reason: string): void {
    if (this.#state.kind === "connecting") return this.destroy(reason);
    if (this.#state.kind !== "ready") return;
    const { keepalive } = this.#state;
    this.#state = { kind: "draining", keepalive, reason };
    this.#session.close();
    this.#listener.draining(this);
  }

  /** Ends the connection and all its calls. */
  destroy(reason: string): void {
    this.#note(reason);
    this.#session.destroy();
    this.#socket.destroy();
    this.#closed();
  }

  #failed(error: Error): void {
    this.destroy(describeConnectionError(error, this.#attempted()));
  }

  #attempted(): Attempted {
    return { tls: this.#tls, isAgreed: this.#state.kind !== "connecting" };
  }

  #note(reason: string): void {
    this.#reason ??= reason;
  }

  #settled(): void {
    if (this.#state.kind === "ready") return this.#listener.room(this);
    if (this.#state.kind !== "connecting") return;
    this.#state.timeout.cancel();
    const keepalive = new Keepalive(this.#options, {
      bytesRead: () => this.#socket.bytesRead,
      isBusy: () => this.#open > 0,
      ping: (answered) => this.#session.ping(answered),
      lost: (reason) => this.destroy(reason),
    });
    this.#readyAt = this.#options.clock.now();
    this.#state = { kind: "ready", keepalive };
    this.#listener.ready(this);
  }

  #goaway(code: number, lastStreamId: number, data: Buffer): void {
    this.#lastStreamId = lastStreamId;
    const said = data.length === 0 ? "" : ` (${data.toString("latin1").slice(0, 200)})`;
    const reason = `the backend sent GOAWAY with ${nameOfErrorCode(code)}${said}`;
    if (code === errorCode.enhanceYourCalm && said === " (too_many_pings)") this.#listener.tooManyPings();
    if (code === errorCode.noError) this.drain(reason);
    else this.destroy(reason);
  }

  #closed(): void {
    const state = this.#state;
    if (state.kind === "closed") return;
    if (state.kind === "connecting") state.timeout.cancel();
    else state.keepalive.stop();
    this.#note(state.kind === "draining" ? state.reason : describeClose(this.#attempted()));
    const reason = this.#reason ?? "it was closed";
    this.#state = { kind: "closed", reason };
    this.#session.destroy();
    this.#socket.destroy();
    this.#listener.closed(this, reason);
  }
}

/** One memory for the reads of all connections: each is handled before the next one begins. */
const readMemory = Buffer.allocUnsafeSlow(256 * 1024);

/** `read` gets what comes, in memory that may be used again when it returns. */
function openSocket(
  { address }: Target,
  tls: ResolvedTls | undefined,
  read: (chunk: Buffer) => void,
): Socket {
  if (tls === undefined) return connectTcp({ ...address, onread: readInto(readMemory, read) });
  const { context, servername } = tls;
  const name = servername ?? ("host" in address && isIP(address.host) === 0 ? address.host : undefined);
  const socket = connectTls({
    ...address,
    ALPNProtocols: ["h2"],
    secureContext: context,
    ...(name === undefined ? {} : { servername: name }),
  });
  return socket.on("data", read);
}

/** Spares each read fresh memory, which would cost more than to parse it. */
function readInto(buffer: Buffer, read: (chunk: Buffer) => void): OnReadOpts {
  return {
    buffer,
    callback(length) {
      read(buffer.subarray(0, length));
      return true;
    },
  };
}
