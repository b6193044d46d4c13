import { create, fromJson, toJson, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { HubError, type MessageInit } from "@sluice/hub";
import { PayloadSchema, type Payload } from "./generated/sluice/session/v1/session_pb.ts";

/**
 * How deep JSON may be nested in a payload: protobuf decoders take 100 messages within each other at least, and each
 * level of google.protobuf.Value is up to 3.
 */
export const maxJsonDepth = 30;

/**
 * What a client or a history says, for a backend. Throws a HubError `INVALID_ARGUMENT` for JSON that
 * google.protobuf.Value cannot hold.
 */
export function payloadFrom({
  data,
  isJson = false,
  isList = false,
}: Pick<MessageInit, "data" | "isJson" | "isList">): Payload {
  if (typeof data !== "string") return create(PayloadSchema, { data: { case: "binary", value: data } });
  if (!isJson) return create(PayloadSchema, { data: { case: "text", value: data } });
  const json = JSON.parse(data) as JsonValue;
  validateJson(json, maxJsonDepth);
  return create(PayloadSchema, { data: { case: "json", value: fromJson(ValueSchema, json) }, isList });
}

/** Bytes of the type of a message. */
export const maxTypeBytes = 255;

/**
 * What a backend says, for clients; without a payload an empty text. Throws a HubError `INVALID_ARGUMENT` for JSON
 * that has no text, such as NaN, for more than `maxBytes`, and for a type that is too long.
 */
export function messageFrom(payload: Payload | undefined, type: string, maxBytes: number): MessageInit {
  const init = dataOf(payload);
  const bytes = typeof init.data === "string" ? Buffer.byteLength(init.data) : init.data.byteLength;
  if (bytes > maxBytes) {
    const text = `The payload has ${bytes} bytes, more than the maximum of ${maxBytes} (limits.messageBytes).`;
    throw new HubError("INVALID_ARGUMENT", text);
  }
  if (type === "") return init;
  if (Buffer.byteLength(type) > maxTypeBytes) {
    throw new HubError("INVALID_ARGUMENT", `A type has at most ${maxTypeBytes} bytes.`);
  }
  return { ...init, type };
}

function dataOf(payload: Payload | undefined): MessageInit {
  const data = payload?.data;
  switch (data?.case) {
    case "text":
    case "binary":
      return { data: data.value };
    case "json":
      try {
        return listedIf(payload?.isList === true && data.value.kind.case === "listValue", {
          data: JSON.stringify(toJson(ValueSchema, data.value)),
          isJson: true,
        });
      } catch (cause) {
        throw new HubError("INVALID_ARGUMENT", "The payload is a Value that has no JSON.", { cause });
      }
    case undefined:
      return { data: "" };
  }
}

function listedIf(isList: boolean, init: MessageInit): MessageInit {
  return isList ? { ...init, isList } : init;
}

function validateJson(json: JsonValue, levels: number): void {
  if (typeof json === "number" && !Number.isFinite(json)) {
    throw new HubError("INVALID_ARGUMENT", "The JSON has a number that is too large.");
  }
  if (typeof json !== "object" || json === null) return;
  if (levels === 0) {
    throw new HubError("INVALID_ARGUMENT", `The JSON is nested deeper than ${maxJsonDepth} levels.`);
  }
  for (const each of Object.values(json)) validateJson(each, levels - 1);
}
