import {
  createRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
  type Message,
} from "@bufbuild/protobuf";
import { BytesValueSchema } from "@bufbuild/protobuf/wkt";
import type { RpcError } from "../error.ts";
import { createCodecError } from "./codec-error.ts";
import { maximumDepth, type CodecOptions, type JsonValue, type MessageCodec } from "./message-codec.ts";
import { hideUnknownAnys } from "./unknown-any.ts";

/**
 * A codec that does its work with the messages of protobuf-es: for where code generation is forbidden, and
 * the reference that the generated codec is measured by.
 */
export function createReflectiveCodec(desc: DescMessage, options: CodecOptions): MessageCodec {
  // An Any of unknown type is shown in the clothes of a BytesValue, which must be known for that.
  const registry = createRegistry(
    ...(options.registry === undefined ? [] : [options.registry]),
    BytesValueSchema,
  );
  const reading = { registry, ignoreUnknownFields: options.strict !== true, recursionLimit: maximumDepth };
  const writing = {
    registry,
    alwaysEmitImplicit: options.emitDefaults === true,
    enumAsInteger: options.enumsAsNumbers === true,
    useProtoFieldName: options.protoFieldNames === true,
  };

  function textOf(message: Message): string {
    try {
      return JSON.stringify(toJson(desc, message, writing));
    } catch (error) {
      const names = hideUnknownAnys(desc, message, registry);
      if (names.size === 0) throw error;
      const restored = (key: string, value: unknown): unknown =>
        key === "@type" && typeof value === "string" ? (names.get(value) ?? value) : value;
      return JSON.stringify(toJson(desc, message, writing), restored);
    }
  }

  return {
    bytesFromJson(json: JsonValue | undefined): Uint8Array {
      if (json === undefined) return new Uint8Array(0);
      try {
        return toBinary(desc, fromJson(desc, json, reading));
      } catch (error) {
        throw wrapped("json_invalid", error);
      }
    },
    jsonFromBytes(bytes: Uint8Array): string {
      try {
        return textOf(fromBinary(desc, bytes, { recursionLimit: maximumDepth }));
      } catch (error) {
        throw wrapped("protobuf_invalid", error);
      }
    },
  };
}

function wrapped(code: "json_invalid" | "protobuf_invalid", error: unknown): RpcError {
  return createCodecError(code, error instanceof Error ? error.message : String(error), error);
}
