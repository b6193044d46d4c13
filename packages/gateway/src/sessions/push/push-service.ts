import { create, fromBinary, toBinary, type DescMethod, type MessageShape } from "@bufbuild/protobuf";
import { systemClock, type Clock, type Hub, Message, type Session } from "@sluice/hub";
import { Code } from "@sluice/protocol";
import { createStatus, type ServiceCall, type ServiceListener, type ServiceMethod } from "@sluice/rpc";
import {
  DisconnectResponseSchema,
  JoinResponseSchema,
  LeaveResponseSchema,
  Push,
  SendResponseSchema,
  type DisconnectRequest,
  type DisconnectResponse,
  type JoinRequest,
  type JoinResponse,
  type LeaveRequest,
  type LeaveResponse,
  type SendRequest,
  type SendResponse,
} from "../generated/sluice/push/v1/push_pb.ts";
import { closeCodeOr, isSayableCloseCode, maxReasonBytes } from "../close-codes.ts";
import { AnswerCache } from "./answer-cache.ts";
import { validateKey, validateRoom } from "./fields.ts";
import { history, presence, sessions } from "./listing.ts";
import { messageOf, publish } from "./publish.ts";
import { PublishStream } from "./publish-stream.ts";
import { PushGuard, type PushAccess } from "./push-access.ts";
import { invalidField, statusFrom } from "./push-error.ts";
import { findTargets } from "./targets.ts";

/** What the push API is made of. */
export interface PushServiceOptions {
  readonly hub: Hub;
  readonly access: PushAccess;
  /** Where time comes from. Default: the clock of this process. */
  readonly clock?: Clock;
}

/**
 * The methods of sluice.push.v1.Push by path, for a `ServiceBackend`; `pushSchema` has their descriptors and HTTP rules,
 * docs/push.md the contract. Throws a RangeError for an access that lets nobody in.
 */
export function createPushService({
  hub,
  access,
  clock = systemClock,
}: PushServiceOptions): ReadonlyMap<string, ServiceMethod> {
  const guard = new PushGuard(access);
  const sent = new AnswerCache<SendResponse>(clock);
  const { method } = Push;
  const methods: readonly (readonly [DescMethod, ServiceMethod])[] = [
    unary(method.publish, (request) => publish(hub, request)),
    [method.publishStream, (call) => new PublishStream(hub, call)],
    unary(method.send, (request) => send(hub, sent, request)),
    unary(method.join, (request) => join(hub, request)),
    unary(method.leave, (request) => leave(hub, request)),
    unary(method.disconnect, (request) => disconnect(hub, request)),
    unary(method.presence, (request) => presence(hub, request)),
    unary(method.history, (request) => history(hub, request)),
    unary(method.sessions, (request) => sessions(hub, request)),
  ];
  return new Map(methods.map(([{ name }, serve]) => [`/${Push.typeName}/${name}`, guarded(guard, serve)]));
}

function guarded(guard: PushGuard, serve: ServiceMethod): ServiceMethod {
  return (call) => {
    const refusal = guard.refusal(call.metadata);
    if (refusal === undefined) return serve(call);
    call.end(refusal);
    return deaf;
  };
}

const deaf: ServiceListener = { message: () => undefined, halfClose: () => undefined };

function unary<Method extends DescMethod>(
  method: Method,
  answer: (
    request: MessageShape<Method["input"]>,
  ) => MessageShape<Method["output"]> | Promise<MessageShape<Method["output"]>>,
): readonly [Method, ServiceMethod] {
  const serve: ServiceMethod = (call) => {
    let request: MessageShape<Method["input"]> | undefined;
    return {
      message: (bytes) => {
        try {
          request = fromBinary<Method["input"]>(method.input, bytes);
        } catch {
          call.end(createStatus(Code.INVALID_ARGUMENT, `the request is not a ${method.input.name}`));
        }
      },
      halfClose: () => {
        if (request === undefined)
          call.end(createStatus(Code.INVALID_ARGUMENT, "the request has no message"));
        else void reply(call, method, request, answer);
      },
    };
  };
  return [method, serve];
}

async function reply<Method extends DescMethod>(
  call: ServiceCall,
  method: Method,
  request: MessageShape<Method["input"]>,
  answer: (
    request: MessageShape<Method["input"]>,
  ) => MessageShape<Method["output"]> | Promise<MessageShape<Method["output"]>>,
): Promise<void> {
  try {
    const response = await answer(request);
    call.send(toBinary<Method["output"]>(method.output, response));
    call.end();
  } catch (error) {
    call.end(statusFrom(error));
  }
}

function send(hub: Hub, sent: AnswerCache<SendResponse>, request: SendRequest): SendResponse {
  const { payload, type, idempotencyKey } = request;
  validateKey(idempotencyKey);
  const known = idempotencyKey === "" ? undefined : sent.find(idempotencyKey);
  if (known !== undefined) return known;
  const message = Message.from(messageOf(hub, payload, type));
  const { found, missing } = findTargets(hub, request);
  for (const session of found) session.send(message);
  const response = create(SendResponseSchema, { sessions: found.length, missing });
  if (idempotencyKey !== "") sent.keep(idempotencyKey, response);
  return response;
}

async function join(hub: Hub, request: JoinRequest): Promise<JoinResponse> {
  const { found, missing } = await inRoom(hub, request, (session) => session.join(request.room));
  return create(JoinResponseSchema, { sessions: found.length, missing });
}

async function leave(hub: Hub, request: LeaveRequest): Promise<LeaveResponse> {
  const { found, missing } = await inRoom(hub, request, (session) => session.leave(request.room));
  return create(LeaveResponseSchema, { sessions: found.length, missing });
}

/** Does something with each of the sessions. Sessions that end meanwhile are missing; any other failure is thrown. */
async function inRoom(
  hub: Hub,
  request: JoinRequest | LeaveRequest,
  change: (session: Session) => Promise<unknown>,
): Promise<ReturnType<typeof findTargets>> {
  validateRoom(hub, request.room);
  const { found, missing } = findTargets(hub, request);
  const changed = await Promise.allSettled(found.map(change));
  const failed = changed.find(
    (each, index) => each.status === "rejected" && found[index]?.isClosed === false,
  );
  if (failed?.status === "rejected") throw failed.reason;
  const ended = found.filter(({ isClosed }) => isClosed);
  return {
    found: found.filter(({ isClosed }) => !isClosed),
    missing: [...missing, ...ended.map(({ id }) => id)],
  };
}

function disconnect(hub: Hub, request: DisconnectRequest): DisconnectResponse {
  const { code, reason } = request;
  if (!isSayableCloseCode(code)) throw invalidField("code", `${code} is no code to close a session with`);
  if (Buffer.byteLength(reason) > maxReasonBytes) {
    throw invalidField("reason", `at most ${maxReasonBytes} bytes`);
  }
  const { found, missing } = findTargets(hub, request);
  for (const session of found) session.close(closeCodeOr(code), reason);
  return create(DisconnectResponseSchema, { sessions: found.length, missing });
}
