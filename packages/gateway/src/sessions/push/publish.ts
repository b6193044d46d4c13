import { create } from "@bufbuild/protobuf";
import { HubError, type Hub, type MessageInit } from "@sluice/hub";
import { PublishResponseSchema } from "../generated/sluice/push/v1/push_pb.ts";
import type { PublishRequest, PublishResponse } from "../generated/sluice/push/v1/push_pb.ts";
import type { Payload } from "../generated/sluice/session/v1/session_pb.ts";
import { maxTypeBytes, messageFrom } from "../payload.ts";
import { validateKey, validateRoom } from "./fields.ts";
import { invalidField } from "./push-error.ts";

/** What a request says. Throws a PushError for none, and for too much. */
export function messageOf(hub: Hub, payload: Payload | undefined, type: string): MessageInit {
  if (Buffer.byteLength(type) > maxTypeBytes) throw invalidField("type", `at most ${maxTypeBytes} bytes`);
  if (payload?.data.case === undefined) throw invalidField("payload", "set text, binary or json");
  try {
    return messageFrom(payload, type, hub.limits.messageBytes);
  } catch (error) {
    if (error instanceof HubError) throw invalidField("payload", error.message);
    throw error;
  }
}

/** Publishes. Rejects with a PushError or a HubError. */
export async function publish(hub: Hub, request: PublishRequest): Promise<PublishResponse> {
  const { room, payload, type, exceptSession, idempotencyKey, expectedEpoch } = request;
  validateRoom(hub, room);
  validateKey(idempotencyKey);
  const { epoch, offset, duplicate } = await hub.publish(room, messageOf(hub, payload, type), {
    ...(exceptSession === "" ? {} : { except: exceptSession }),
    ...(idempotencyKey === "" ? {} : { idempotencyKey }),
    ...(expectedEpoch === "" ? {} : { expectedEpoch }),
  });
  const position = epoch === "" ? {} : { position: { epoch, offset: BigInt(offset) } };
  return create(PublishResponseSchema, { ...position, duplicate });
}
