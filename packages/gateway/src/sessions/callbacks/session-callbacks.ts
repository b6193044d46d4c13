import type {
  Admission,
  AnswerListener,
  Hub,
  Identity,
  Message,
  Refusal,
  Resumption,
  Session,
} from "@sluice/hub";
import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "@sluice/rpc";
import type { ConnectResponse, Effect } from "../generated/sluice/session/v1/session_pb.ts";
import { closingAfterFailure, closingFromDeny, closingFromStatus } from "./closing.ts";
import { CallbackCounters, type CallbackCounts } from "./counts.ts";
import { DisconnectHook } from "./disconnect-hook.ts";
import { DisconnectQueue } from "./disconnect-queue.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Effects, identityFrom } from "./effects.ts";
import { connectEvent, resumeEvent } from "./events.ts";
import type { HookEvent, HookName, Outcome } from "./hook.ts";
import { IdentityExpiry } from "./identity-expiry.ts";
import { MessageHook } from "./message-hook.ts";
import {
  resolveCallbackOptions,
  type ResolvedCallbackOptions,
  type SessionCallbacksOptions,
} from "./options.ts";
import { StreamCaller } from "./stream-caller.ts";
import { UnaryCaller } from "./unary-caller.ts";

const nobody: Identity = { user: "" };

/** What of an answer every hook has. */
interface Answered {
  readonly effects: readonly Effect[];
}

/**
 * Calls a backend for what happens to sessions, and carries out its answers; docs/callbacks.md is the contract.
 *
 * A hub is made with `admit` and then given to `bind`. Each Connect that the backend may have seen, and did not deny, is
 * matched by one Disconnect; each message is answered or refused.
 */
export class SessionCallbacks {
  readonly #options: ResolvedCallbackOptions;
  readonly #dispatcher: Dispatcher;
  readonly #disconnects: DisconnectQueue;
  readonly #ends: DisconnectHook;
  readonly #expiry: IdentityExpiry;
  readonly #counters = new CallbackCounters();
  /** What clients gave to say who they are, by the identity that they have until the backend has said it. */
  readonly #tokens = new WeakMap<Identity, string>();
  readonly #stopWatching: () => void;
  #bound: { readonly hub: Hub; readonly effects: Effects; readonly messages: MessageHook } | undefined;

  /** Throws a RangeError that names the option which cannot be meant. */
  constructor(options: SessionCallbacksOptions) {
    const resolved = resolveCallbackOptions(options);
    const { backend, metadata, clock, report, streams } = resolved;
    this.#options = resolved;
    this.#dispatcher = new Dispatcher({
      ...resolved,
      caller:
        streams === 0
          ? new UnaryCaller(backend, metadata)
          : new StreamCaller(streams, {
              backend,
              metadata,
              clock,
              report: (problem) => report({ kind: "stray", problem }),
            }),
      breakerChanged: (isAway) => report({ kind: isAway ? "away" : "back" }),
      wake: () => backend.connect?.(),
    });
    this.#expiry = new IdentityExpiry(clock);
    this.#disconnects = new DisconnectQueue(this.#dispatcher, resolved.disconnects, clock);
    this.#ends = new DisconnectHook({
      isWanted: resolved.hooks.has("disconnect"),
      disconnects: this.#disconnects,
      queues: resolved.queues,
      clock,
      called: () => this.#counters.called("disconnect"),
      apply: (session, answer) => this.#apply("disconnect", session, answer),
      failed: (session, status) => this.#failed("disconnect", session, status),
      gaveUp: (session, status) => {
        this.#counters.gaveUp();
        report({ kind: "given_up", session, status });
      },
    });
    const stop = backend.onState?.((state) => {
      if (state.kind === "ready") this.#dispatcher.breaker.probe();
    });
    this.#stopWatching = () => stop?.();
  }

  /** What has been called so far, and what waits. */
  get counts(): CallbackCounts {
    const { inFlight, waiting, breaker } = this.#dispatcher;
    return {
      ...this.#counters.counts,
      outages: breaker.opened,
      queuedBytes: this.#options.queues.bytes,
      inFlight,
      waiting,
      disconnectsWaiting: this.#disconnects.size,
      breaker: breaker.state,
    };
  }

  /** Serves a hub; called once, before it has sessions. Messages come by `receive`. */
  bind(hub: Hub): void {
    const effects = new Effects(hub, this.#expiry, (session, effect, problem, cause) => {
      this.#counters.effectFailed();
      this.#options.report({
        kind: "effect",
        session,
        effect,
        problem,
        ...(cause === undefined ? {} : { cause }),
      });
    });
    const messages = new MessageHook({
      dispatcher: this.#dispatcher,
      queues: this.#options.queues,
      clock: this.#options.clock,
      waitMs: this.#options.waitMs,
      maxReplyBytes: hub.limits.messageBytes,
      isIgnored: this.#options.onFailure.message === "ignore",
      apply: (session, answer) => this.#apply("message", session, answer),
      failed: (session, status) => this.#failed("message", session, status),
    });
    this.#bound = { hub, effects, messages };
    hub.onConnect((session) => this.#ends.connected(session));
    hub.onResume((session, resumption) => this.#resumed(session, resumption));
    hub.onDisconnect((session, disconnection) => {
      this.#expiry.ended(session);
      this.#ends.disconnected(session, disconnection);
    });
  }

  /** Asks the backend whether a client is let in: for `HubOptions.admit`. Never rejects. */
  admit(session: Session): Promise<Admission> {
    if (!this.#options.hooks.has("connect")) return Promise.resolve();
    this.#ends.owe(session);
    return new Promise((resolve) => {
      this.#options.queues.add(session, (done) => {
        const token = this.#tokens.get(session.identity ?? nobody) ?? "";
        this.#run(
          "connect",
          () => connectEvent(session, token),
          this.#options.connectWaitMs,
          async (outcome) => {
            const admission = await this.#admission(session, outcome);
            resolve(admission);
            done();
          },
        );
      });
    });
  }

  /** Leaves it to the Connect callback who has a token: for `identify` of the faces. */
  identify(token: string): Promise<Identity> {
    const identity: Identity = { user: "" };
    this.#tokens.set(identity, token);
    return Promise.resolve(identity);
  }

  /** Takes a message of a client; answers false, and does nothing, where the backend is not called for messages. */
  receive(session: Session, message: Message, answer: AnswerListener): boolean {
    if (!this.#options.hooks.has("message")) return false;
    this.#counters.called("message");
    this.#bound?.messages.receive(session, message, answer);
    return true;
  }

  /** All sessions are about to end: the backend is told of it as fast as it takes it. */
  hurry(): void {
    this.#disconnects.hurry();
  }

  /** Resolves when every Disconnect that is owed has been told or given up, at the latest after so many milliseconds. */
  drain(ms: number): Promise<void> {
    return this.#ends.drain(ms);
  }

  /** Ends everything: what is not answered has failed, what is owed is given up. The backend is closed by its owner. */
  close(): void {
    this.#stopWatching();
    this.#disconnects.close();
    this.#dispatcher.close();
  }

  #run(
    hook: HookName,
    event: () => HookEvent,
    waitMs: number,
    settle: (outcome: Outcome) => Promise<void>,
  ): void {
    this.#counters.called(hook);
    this.#dispatcher.run({ hook, event, waitMs, settle: (outcome) => void settle(outcome) });
  }

  /** Carries out what the backend answered; answers a status where there is too much of it. */
  async #apply(hook: HookName, session: Session, { effects }: Answered): Promise<Status | undefined> {
    const most = this.#options.effects;
    if (effects.length > most) {
      const text = `the backend answered ${hook} with ${effects.length} effects, more than the maximum of ${most}`;
      return createStatus(Code.INTERNAL, text);
    }
    if (effects.length > 0) await this.#bound?.effects.apply(session, effects);
    return undefined;
  }

  #failed(hook: HookName, session: Session, status: Status): void {
    this.#counters.failed(hook);
    this.#options.report({ kind: "failed", hook, session, status });
  }

  async #admission(session: Session, { answer, failure }: Outcome): Promise<Admission> {
    if (answer?.case === "connect") return this.#answered(session, answer.value);
    const status = failure ?? createStatus(Code.INTERNAL, "the backend answered something else");
    const denial = closingFromStatus(status);
    if (denial !== undefined && status.isUnprocessed !== true) return this.#denied(session, denial);
    this.#failed("connect", session, status);
    // Otherwise the backend may have seen it, whatever became of its answer.
    if (status.isUnprocessed === true || status.code === Code.UNIMPLEMENTED) this.#ends.forgive(session);
    return this.#admissionAfter(session, status);
  }

  #denied(session: Session, refusal: Refusal): Refusal {
    this.#counters.denied();
    this.#ends.forgive(session);
    return refusal;
  }

  #admissionAfter(session: Session, failure: Status): Admission {
    if (this.#options.onFailure.connect === "ignore") return undefined;
    const refusal = closingAfterFailure(failure);
    this.#ends.disconnected(session, { ...refusal, clean: true });
    return refusal;
  }

  async #answered(session: Session, response: ConnectResponse): Promise<Admission> {
    if (response.deny !== undefined) return this.#denied(session, closingFromDeny(response.deny));
    const problem = await this.#apply("connect", session, response);
    if (problem !== undefined) {
      this.#failed("connect", session, problem);
      return this.#admissionAfter(session, problem);
    }
    const { identity } = response;
    if (identity === undefined) return undefined;
    this.#expiry.set(session, identity);
    return { identity: identityFrom(session, identity) };
  }

  #resumed(session: Session, resumption: Resumption): void {
    if (!this.#options.hooks.has("resume")) return;
    this.#options.queues.add(session, (done) => {
      this.#run(
        "resume",
        () => resumeEvent(session, resumption),
        this.#options.waitMs,
        async ({ answer, failure }) => {
          if (answer?.case === "resume" && answer.value.deny !== undefined) {
            const { code, reason } = closingFromDeny(answer.value.deny);
            session.close(code, reason);
          } else {
            const problem =
              answer?.case === "resume" ? await this.#apply("resume", session, answer.value) : failure;
            if (problem !== undefined) this.#resumeFailed(session, problem);
          }
          done();
        },
      );
    });
  }

  #resumeFailed(session: Session, status: Status): void {
    this.#failed("resume", session, status);
    const isDenied = this.#options.onFailure.resume === "deny";
    const closing = closingFromStatus(status) ?? (isDenied ? closingAfterFailure(status) : undefined);
    if (closing !== undefined) session.close(closing.code, closing.reason);
  }
}
