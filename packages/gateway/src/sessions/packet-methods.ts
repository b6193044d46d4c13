import { Message, type AnswerListener, type Session } from "@sluice/hub";
import { Code } from "@sluice/protocol";
import { createStatus, type Call, type DirectorySource, type Status } from "@sluice/rpc";
import { refusalFrom } from "./client-status.ts";
import { metadataOfSession } from "./session-metadata.ts";
import { SessionQueues } from "./session-queues.ts";

/** Which packets are gRPC calls. */
export interface PacketMethodsOptions {
  /** Methods by the types of packets, from 1 to 4294967294: `{ 7: "shop.Orders/Get" }`. */
  readonly types: Readonly<Record<number, string>>;
  /** The methods that there are. */
  readonly methods: DirectorySource;
  /** Where the order of each session is kept; the same as for `SessionCallbacks`. Default: its own. */
  readonly queues?: SessionQueues;
  /** Milliseconds for one call. Default: 3,000. */
  readonly deadlineMs?: number;
  /** Calls at the same time, of all sessions; others wait. Default: 256. */
  readonly concurrency?: number;
  /** Told of each call that failed; for the log. */
  readonly report?: (session: Session, path: string, status: Status) => void;
}

const full = createStatus(Code.RESOURCE_EXHAUSTED, "too many messages wait for the backend; try again later");
/** The type of the packets that tell of a refusal (docs/sessions.md). */
const refusedPacketType = 0xffff_ffff;

const closing = createStatus(Code.UNAVAILABLE, "the gateway is shutting down");

/**
 * Packet types as gRPC methods: the content of a packet is the request of a unary call, its response the content of a
 * packet of the same type. The packets of one session are answered in order; one that fails is refused.
 */
export class PacketMethods {
  readonly #options: PacketMethodsOptions;
  readonly #queues: SessionQueues;
  readonly #paths: ReadonlyMap<string, string>;
  readonly #calls = new Set<Call>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #isClosed = false;

  /** Throws a RangeError for a type or a method that cannot be. */
  constructor(options: PacketMethodsOptions) {
    this.#options = options;
    this.#queues = options.queues ?? new SessionQueues();
    this.#paths = new Map(
      Object.entries(options.types).map(([type, method]) => [type, pathOf(type, method)]),
    );
  }

  /** Whether packets of a type are calls. */
  has(type: number): boolean {
    return this.#paths.has(String(type));
  }

  /** Takes a message of a client; answers false, and does nothing, where it is none of these packets. */
  receive(session: Session, message: Message, answer: AnswerListener): boolean {
    const { data, type } = message;
    const path = this.#paths.get(type);
    if (path === undefined || typeof data === "string") return false;
    const fail = (status: Status): void => {
      this.#options.report?.(session, path, status);
      answer(refusalFrom(status, type));
    };
    const isTaken = this.#queues.addMessage(session, data.byteLength, (done) => {
      this.#whenFree(() => {
        this.#call(session, path, data, (status, reply) => {
          if (reply === undefined) fail(status);
          else answer({ ok: true, reply: new Message({ data: reply, type }) });
          this.#release();
          done();
        });
      });
    });
    if (!isTaken) fail(full);
    return true;
  }

  /** Ends the calls that are open with UNAVAILABLE, and those to come. */
  close(): void {
    this.#isClosed = true;
    for (const call of this.#calls) call.cancel(closing);
  }

  #whenFree(run: () => void): void {
    if (this.#running >= (this.#options.concurrency ?? 256)) {
      this.#waiting.push(run);
      return;
    }
    this.#running++;
    run();
  }

  /** Gives the place of a call to the one that has waited longest. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  #call(
    session: Session,
    path: string,
    request: Uint8Array,
    settle: (status: Status, reply?: Uint8Array) => void,
  ): void {
    const entry = this.#isClosed ? closing : this.#options.methods().find(path);
    if ("code" in entry) return process.nextTick(settle, entry);
    const { method, backend } = entry;
    if (method.kind !== "unary") {
      const text = `${path} is a stream, and a packet can only be a unary call`;
      return process.nextTick(settle, createStatus(Code.UNIMPLEMENTED, text));
    }
    let reply: Uint8Array | undefined;
    const call = backend.open(
      {
        method,
        metadata: metadataOfSession(session),
        timeout: this.#options.deadlineMs ?? 3_000,
        timeoutOrigin: "packets",
      },
      {
        headers: () => undefined,
        message: (bytes) => (reply = bytes),
        drain: () => undefined,
        end: (status) => {
          this.#calls.delete(call);
          if (status.code !== Code.OK) settle(status);
          else if (reply === undefined) settle(createStatus(Code.INTERNAL, `${path} answered nothing`));
          else settle(status, reply);
        },
      },
    );
    this.#calls.add(call);
    // The bytes are a part of what was read, which the message of the session keeps.
    call.send(request);
    call.halfClose();
  }
}

function pathOf(type: string, method: string): string {
  if (!/^[1-9]\d{0,9}$/.test(type) || Number(type) >= refusedPacketType) {
    throw new RangeError(`packets.${type}: a type is a whole number from 1 to ${refusedPacketType - 1}`);
  }
  if (!/^\/?[A-Za-z_][\w.]*\/[A-Za-z_]\w*$/.test(method)) {
    throw new RangeError(
      `packets.${type}: ${JSON.stringify(method)} is not written as package.Service/Method`,
    );
  }
  return method.startsWith("/") ? method : `/${method}`;
}
