import { HubError, Message, type Hub, type Identity, type JoinOptions, type Session } from "@sluice/hub";
import type {
  Close,
  Effect,
  Position,
  Send,
  SetIdentity,
  SetState,
} from "../generated/sluice/session/v1/session_pb.ts";
import { closeCodeOr, fittingReason, isSayableCloseCode } from "../close-codes.ts";
import { messageFrom } from "../payload.ts";
import type { IdentityExpiry } from "./identity-expiry.ts";

/** Told of an effect that could not be carried out: which kind, and why. */
export type EffectProblem = (session: Session, effect: string, problem: string, cause?: unknown) => void;

/** Carries out what a backend answers, in order. */
export class Effects {
  readonly #hub: Hub;
  readonly #expiry: IdentityExpiry;
  readonly #problem: EffectProblem;

  constructor(hub: Hub, expiry: IdentityExpiry, problem: EffectProblem) {
    this.#hub = hub;
    this.#expiry = expiry;
    this.#problem = problem;
  }

  /** Carries out effects for a session. Those that cannot be are reported, and hold up no other. Never rejects. */
  async apply(session: Session, effects: readonly Effect[]): Promise<void> {
    for (const { effect } of effects) {
      try {
        await this.#one(session, effect);
      } catch (error) {
        const kind = effect.case ?? "none";
        if (error instanceof HubError) this.#problem(session, kind, error.message, error.cause);
        else this.#problem(session, kind, "it failed", error);
      }
    }
  }

  #one(session: Session, effect: Effect["effect"]): Promise<unknown> | undefined {
    switch (effect.case) {
      case "send": {
        const to = effect.value.session === "" ? session : this.#hub.session(effect.value.session);
        if (to === undefined) {
          throw new HubError("NOT_FOUND", `This gateway has no session ${effect.value.session}.`);
        }
        to.send(this.#message(effect.value));
        return undefined;
      }
      case "publish": {
        const { room, exceptSelf, idempotencyKey } = effect.value;
        return this.#hub.publish(room, this.#message(effect.value), {
          ...(exceptSelf ? { except: session.id } : {}),
          ...(idempotencyKey === "" ? {} : { idempotencyKey }),
        });
      }
      case undefined:
        throw new HubError("INVALID_ARGUMENT", "It is of no kind that this gateway knows.");
      case "join":
      case "leave":
      case "setState":
      case "setIdentity":
      case "close":
        // Of a session that is over, nothing is left to change.
        return session.isClosed ? undefined : this.#change(session, effect);
    }
  }

  #change(
    session: Session,
    effect: Exclude<Effect["effect"], { case: "send" | "publish" | undefined }>,
  ): Promise<unknown> | undefined {
    switch (effect.case) {
      case "join":
        return session.join(effect.value.room, joinOptionsFrom(effect.value.since));
      case "leave":
        return session.leave(effect.value.room);
      case "setState":
        setState(session, effect.value);
        return undefined;
      case "setIdentity":
        session.identify(identityFrom(session, effect.value));
        this.#expiry.set(session, effect.value);
        return undefined;
      case "close":
        this.#close(session, effect.value);
        return undefined;
    }
  }

  #message({ payload, type }: Pick<Send, "payload" | "type">): Message {
    return Message.from(messageFrom(payload, type, this.#hub.limits.messageBytes));
  }

  #close(session: Session, { code, reason }: Close): void {
    session.close(closeCodeOr(code), fittingReason(reason));
    if (!isSayableCloseCode(code)) {
      throw new HubError("INVALID_ARGUMENT", `No session can be closed with ${code}; it was 1000 instead.`);
    }
  }
}

/** Who a client is, as a backend says; what others are shown of it stays. */
export function identityFrom(session: Session, { user, claims }: SetIdentity): Identity {
  const info = session.identity?.info;
  return { user, ...(claims === undefined ? {} : { claims }), ...(info === undefined ? {} : { info }) };
}

function setState(session: Session, change: SetState): void {
  for (const key of change.delete) session.state.delete(key);
  for (const [key, value] of Object.entries(change.set)) session.state.set(key, value);
}

function joinOptionsFrom(since: Position | undefined): JoinOptions {
  return since === undefined ? {} : { since: { epoch: since.epoch, offset: Number(since.offset) } };
}
