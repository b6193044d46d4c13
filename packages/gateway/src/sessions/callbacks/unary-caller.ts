import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code } from "@sluice/protocol";
import { createStatus, type Backend, type Call, type Metadata, type Method, type Status } from "@sluice/rpc";
import {
  ConnectRequestSchema,
  ConnectResponseSchema,
  DisconnectRequestSchema,
  DisconnectResponseSchema,
  MessageRequestSchema,
  MessageResponseSchema,
  ResumeRequestSchema,
  ResumeResponseSchema,
} from "../generated/sluice/session/v1/session_pb.ts";
import { sessionMethod } from "../schemas.ts";
import type { Caller, HookAnswer, HookEvent, HookName, Outcome } from "./hook.ts";

const closing = createStatus(Code.UNAVAILABLE, "the gateway is shutting down");

/** Carries each event to the backend in a call of its own. */
export class UnaryCaller implements Caller {
  readonly #backend: Backend;
  readonly #metadata: Metadata;
  readonly #methods: Readonly<Record<HookName, Method>>;
  readonly #calls = new Set<Call>();

  /** `metadata` goes with each call. */
  constructor(backend: Backend, metadata: Metadata) {
    this.#backend = backend;
    this.#metadata = metadata;
    this.#methods = {
      connect: sessionMethod("Connect"),
      message: sessionMethod("Message"),
      disconnect: sessionMethod("Disconnect"),
      resume: sessionMethod("Resume"),
    };
  }

  call(event: HookEvent, timeoutMs: number, settle: (outcome: Outcome) => void): void {
    const request = bytesOf(event);
    let reply: Uint8Array | undefined;
    const method = this.#methods[event.case];
    const call = this.#backend.open(
      { method, metadata: this.#metadata, timeout: timeoutMs, timeoutOrigin: "callbacks" },
      {
        headers: () => undefined,
        message: (bytes) => (reply = bytes),
        drain: () => undefined,
        end: (status) => {
          this.#calls.delete(call);
          settle(outcomeOf(event.case, status, reply));
        },
      },
    );
    this.#calls.add(call);
    call.send(request);
    call.halfClose();
  }

  close(): void {
    for (const call of this.#calls) call.cancel(closing);
  }
}

function outcomeOf(hook: HookName, status: Status, reply: Uint8Array | undefined): Outcome {
  if (status.code !== Code.OK) return { failure: status };
  if (reply === undefined) {
    return { failure: createStatus(Code.INTERNAL, `the backend answered ${hook} with nothing`) };
  }
  try {
    return { answer: answerFrom(hook, reply) };
  } catch (cause) {
    const message = `the answer of the backend to ${hook} cannot be read`;
    return { failure: { code: Code.INTERNAL, message, cause } };
  }
}

function bytesOf(event: HookEvent): Uint8Array {
  switch (event.case) {
    case "connect":
      return toBinary(ConnectRequestSchema, event.value);
    case "message":
      return toBinary(MessageRequestSchema, event.value);
    case "disconnect":
      return toBinary(DisconnectRequestSchema, event.value);
    case "resume":
      return toBinary(ResumeRequestSchema, event.value);
  }
}

function answerFrom(hook: HookName, bytes: Uint8Array): HookAnswer {
  switch (hook) {
    case "connect":
      return { case: hook, value: fromBinary(ConnectResponseSchema, bytes) };
    case "message":
      return { case: hook, value: fromBinary(MessageResponseSchema, bytes) };
    case "disconnect":
      return { case: hook, value: fromBinary(DisconnectResponseSchema, bytes) };
    case "resume":
      return { case: hook, value: fromBinary(ResumeResponseSchema, bytes) };
  }
}
