import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code } from "@sluice/protocol";
import type { Backend, Call, CallListener, CallStart, Status } from "@sluice/rpc";
import {
  ConnectRequestSchema,
  DisconnectRequestSchema,
  MessageRequestSchema,
  ResumeRequestSchema,
  StreamRequestSchema,
  StreamResponseSchema,
} from "../../src/sessions/generated/sluice/session/v1/session_pb.ts";
import type { HookEvent, HookName } from "../../src/sessions/callbacks/hook.ts";

/** What becomes of one event, or of the stream that it is on. */
export type Fate =
  | "answered"
  /** It never reaches the backend. */
  | "unseen"
  /** The backend processes it, and the answer is lost. */
  | "answer lost"
  /** The backend never answers. */
  | "late"
  | "refused"
  | "denied"
  | "failed";

const requests = {
  Connect: ["connect", ConnectRequestSchema],
  Message: ["message", MessageRequestSchema],
  Disconnect: ["disconnect", DisconnectRequestSchema],
  Resume: ["resume", ResumeRequestSchema],
} as const;

const codes: Readonly<Partial<Record<Fate, number>>> = {
  unseen: Code.UNAVAILABLE,
  "answer lost": Code.UNAVAILABLE,
  late: Code.DEADLINE_EXCEEDED,
  refused: Code.FAILED_PRECONDITION,
  denied: Code.PERMISSION_DENIED,
  failed: Code.UNKNOWN,
};

/** One event that the backend has looked at. */
export interface Seen {
  readonly hook: HookName;
  readonly session: string;
  readonly sequence: bigint;
  readonly fate: Fate;
}

/** A backend without a wire: what becomes of each event, a test decides; it keeps what it has seen. */
export class LossyBackend implements Backend {
  readonly seen: Seen[] = [];
  readonly #fate: (hook: HookName) => Fate;

  constructor(fate: (hook: HookName) => Fate) {
    this.#fate = fate;
  }

  open({ method }: CallStart, listener: CallListener): Call {
    let isOver = false;
    const end = (status: Status): void => {
      if (isOver) return;
      isOver = true;
      setImmediate(() => listener.end(status, {}));
    };
    const reply = (bytes: Uint8Array): void => {
      setImmediate(() => {
        if (!isOver || method.kind === "unary") listener.message(bytes);
      });
    };
    return {
      send: (message) => {
        if (isOver) return true;
        if (method.kind !== "unary") this.#stream(message, reply, end);
        else this.#unary(method.name as keyof typeof requests, message, reply, end);
        return true;
      },
      halfClose: () => undefined,
      cancel: (status) => end(status ?? { code: Code.CANCELLED, message: "" }),
      pause: () => undefined,
      resume: () => undefined,
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #unary(
    name: keyof typeof requests,
    message: Uint8Array,
    reply: (bytes: Uint8Array) => void,
    end: (status: Status) => void,
  ): void {
    const [hook, schema] = requests[name];
    const fate = this.#look({ case: hook, value: fromBinary(schema, message) } as HookEvent);
    if (fate === "answered") {
      reply(new Uint8Array());
      end({ code: Code.OK, message: "" });
    } else end(statusOf(fate));
  }

  #stream(message: Uint8Array, reply: (bytes: Uint8Array) => void, end: (status: Status) => void): void {
    const { id, event } = fromBinary(StreamRequestSchema, message);
    const fate = this.#look(event as HookEvent);
    if (fate === "late") return;
    if (fate === "unseen" || fate === "answer lost") return end(statusOf(fate));
    const { code, message: text } = statusOf(fate);
    const answer =
      fate === "answered"
        ? { case: event.case, value: {} }
        : { case: "error", value: { code, message: text } };
    const response = create(StreamResponseSchema, { id, answer: answer as never });
    reply(toBinary(StreamResponseSchema, response));
  }

  #look(event: HookEvent): Fate {
    const fate = this.#fate(event.case);
    const sequence = event.case === "message" ? event.value.sequence : 0n;
    if (fate !== "unseen") {
      this.seen.push({ hook: event.case, session: event.value.session?.id ?? "", sequence, fate });
    }
    return fate;
  }
}

function statusOf(fate: Fate): Status {
  const status = { code: codes[fate] ?? Code.OK, message: fate };
  return fate === "unseen" ? { ...status, isUnprocessed: true } : status;
}
