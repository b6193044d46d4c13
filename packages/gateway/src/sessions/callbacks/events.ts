import { create } from "@bufbuild/protobuf";
import type { Disconnection, Message, Resumption, Session } from "@sluice/hub";
import { envelopeFrom } from "../envelope.ts";
import {
  ConnectRequestSchema,
  DisconnectRequestSchema,
  MessageRequestSchema,
  ResumeRequestSchema,
  type Payload,
} from "../generated/sluice/session/v1/session_pb.ts";
import type { HookEvent } from "./hook.ts";

/** A client wants to be let in; `token` is what it gave to say who it is. */
export function connectEvent(session: Session, token: string): HookEvent {
  const value = create(ConnectRequestSchema, { session: envelopeFrom(session), token });
  return { case: "connect", value };
}

/** A client has said something. */
export function messageEvent(
  session: Session,
  { type }: Message,
  payload: Payload,
  sequence: bigint,
): HookEvent {
  const value = create(MessageRequestSchema, { session: envelopeFrom(session), sequence, payload, type });
  return { case: "message", value };
}

/** A client has taken its session up again. */
export function resumeEvent(session: Session, { recovered, missedMs }: Resumption): HookEvent {
  const value = create(ResumeRequestSchema, {
    session: envelopeFrom(session),
    recovered,
    missedMs: BigInt(Math.round(missedMs)),
  });
  return { case: "resume", value };
}

/** A session is over; `rooms` are those that it was in. */
export function disconnectEvent(
  session: Session,
  rooms: string[],
  { code, reason, clean }: Disconnection,
): HookEvent {
  const envelope = { ...envelopeFrom(session), rooms };
  const value = create(DisconnectRequestSchema, { session: envelope, code, reason, clean });
  return { case: "disconnect", value };
}
