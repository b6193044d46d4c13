import { create, toBinary, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { HubError } from "@sluice/hub";
import { Code } from "@sluice/protocol";
import type { Status } from "@sluice/rpc";
import {
  BadRequestSchema,
  QuotaFailureSchema,
  ResourceInfoSchema,
} from "../generated/google/rpc/error_details_pb.ts";
import { StatusSchema, type Status as StatusMessage } from "../generated/google/rpc/status_pb.ts";

/** A call of the push API that cannot be answered; what it says is for the caller. */
export class PushError extends Error {
  readonly status: StatusMessage;

  constructor(status: StatusMessage) {
    super(status.message);
    this.name = "PushError";
    this.status = status;
  }
}

/** A field of the request that cannot be meant. */
export function invalidField(field: string, description: string): PushError {
  return detailed(Code.INVALID_ARGUMENT, `${field}: ${description}`, BadRequestSchema, {
    fieldViolations: [{ field, description }],
  });
}

/** Something that a call is about is not there. */
export function notFound(resourceType: string, resourceName: string, message: string): PushError {
  return detailed(Code.NOT_FOUND, message, ResourceInfoSchema, { resourceType, resourceName });
}

function detailed<Schema extends DescMessage>(
  code: Code,
  message: string,
  schema: Schema,
  detail: MessageInitShape<Schema>,
): PushError {
  const details = [anyPack(schema, create(schema, detail))];
  return new PushError(create(StatusSchema, { code, message, details }));
}

/** What a caller is told of something that went wrong, as a message. */
export function statusMessageFrom(error: unknown): StatusMessage {
  if (error instanceof PushError) return error.status;
  if (error instanceof HubError) return statusMessageFromHub(error);
  return create(StatusSchema, { code: Code.INTERNAL, message: "the push API failed" });
}

function statusMessageFromHub({ code, message }: HubError): StatusMessage {
  if (code !== "RESOURCE_EXHAUSTED") return create(StatusSchema, { code: Code[code], message });
  const violations = [{ subject: "sluice", description: message }];
  return detailed(Code[code], message, QuotaFailureSchema, { violations }).status;
}

/** The status with which a call ends that went wrong. */
export function statusFrom(error: unknown): Status {
  const message = statusMessageFrom(error);
  const { code, message: text, details } = message;
  if (code === Code.INTERNAL) return { code, message: text, cause: error };
  if (details.length === 0) return { code, message: text };
  return { code, message: text, details: toBinary(StatusSchema, message) };
}
