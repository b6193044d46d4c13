import { HubError, Message, type Answer, type AnswerListener, type Clock, type Session } from "@sluice/hub";
import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "@sluice/rpc";
import { refusalFrom } from "../client-status.ts";
import { type MessageResponse, type Payload } from "../generated/sluice/session/v1/session_pb.ts";
import { messageFrom, payloadFrom } from "../payload.ts";
import type { SessionQueues } from "../session-queues.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { messageEvent } from "./events.ts";
import type { Outcome } from "./hook.ts";

/** What the hook needs of the callbacks that it belongs to. */
export interface MessageHookOptions {
  readonly dispatcher: Dispatcher;
  readonly queues: SessionQueues;
  readonly clock: Clock;
  readonly waitMs: number;
  readonly maxReplyBytes: number;
  /** Whether a failure is acknowledged to the client as if it were none. */
  readonly isIgnored: boolean;
  /** Carries out effects; answers a status where it does not. */
  readonly apply: (session: Session, response: MessageResponse) => Promise<Status | undefined>;
  readonly failed: (session: Session, status: Status) => void;
}

const full = createStatus(Code.RESOURCE_EXHAUSTED, "too many messages wait for the backend; try again later");

/** The messages of clients, on their way to the backend and back. */
export class MessageHook {
  readonly #options: MessageHookOptions;
  readonly #sequences = new WeakMap<Session, bigint>();

  constructor(options: MessageHookOptions) {
    this.#options = options;
  }

  /** Takes a message. It is answered in any case. */
  receive(session: Session, message: Message, answer: AnswerListener): void {
    const { clock, queues, waitMs } = this.#options;
    let payload: Payload;
    try {
      payload = payloadFrom(message);
    } catch (error) {
      return answer(refusalFrom(statusFromError(error), message.type));
    }
    const sequence = (this.#sequences.get(session) ?? 0n) + 1n;
    const expiresAt = clock.now() + waitMs;
    const isTaken = queues.addMessage(session, message.contentBytes, (done) => {
      this.#options.dispatcher.run({
        hook: "message",
        event: () => messageEvent(session, message, payload, sequence),
        waitMs: Math.max(0, expiresAt - clock.now()),
        settle: (outcome) => {
          void this.#settle(session, message, outcome).then((answered) => {
            answer(answered);
            done();
          });
        },
      });
    });
    if (isTaken) this.#sequences.set(session, sequence);
    else answer(this.#refuse(session, message, full));
  }

  async #settle(session: Session, message: Message, { answer, failure }: Outcome): Promise<Answer> {
    if (answer?.case !== "message") {
      return this.#refuse(
        session,
        message,
        failure ?? createStatus(Code.INTERNAL, "the backend answered something else"),
      );
    }
    const problem = await this.#options.apply(session, answer.value);
    if (problem !== undefined) return this.#refuse(session, message, problem);
    const { reply } = answer.value;
    if (reply === undefined) return { ok: true };
    try {
      return { ok: true, reply: Message.from(messageFrom(reply, "", this.#options.maxReplyBytes)) };
    } catch (error) {
      const text = error instanceof HubError ? error.message : String(error);
      return this.#refuse(session, message, createStatus(Code.INTERNAL, `the reply of the backend: ${text}`));
    }
  }

  #refuse(session: Session, { type }: Message, status: Status): Answer {
    this.#options.failed(session, status);
    return this.#options.isIgnored ? { ok: true } : refusalFrom(status, type);
  }
}

function statusFromError(error: unknown): Status {
  if (!(error instanceof HubError)) throw error;
  return createStatus(Code[error.code], error.message);
}
