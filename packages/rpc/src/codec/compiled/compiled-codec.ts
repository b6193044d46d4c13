import { createRegistry, type DescMessage, type Registry } from "@bufbuild/protobuf";
import { createCodecError } from "../codec-error.ts";
import type { CodecOptions, JsonValue, MessageCodec } from "../message-codec.ts";
import { JsonFault } from "./json-fault.ts";
import { Units } from "./units.ts";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

const noTypes = createRegistry();
// Codecs with the same registry and options share what is generated for the types that their messages share.
const shared = new WeakMap<Registry, Map<string, Units>>();

function unitsFor(options: CodecOptions): Units {
  const { registry = noTypes, strict, emitDefaults, enumsAsNumbers, protoFieldNames } = options;
  let byOptions = shared.get(registry);
  if (byOptions === undefined) shared.set(registry, (byOptions = new Map<string, Units>()));
  const key = [strict, emitDefaults, enumsAsNumbers, protoFieldNames].map((option) => option === true).join();
  let units = byOptions.get(key);
  if (units === undefined) byOptions.set(key, (units = new Units(registry, options)));
  return units;
}

// Transcoding a message is synchronous, so one of each is enough for all codecs.
const writer = new WireWriter();
const reader = new WireReader();

/** A codec that does its work with code generated for the message type. */
export function createCompiledCodec(desc: DescMessage, options: CodecOptions): MessageCodec {
  const unit = unitsFor(options).unitOf(desc);
  return {
    bytesFromJson(json: JsonValue | undefined): Uint8Array {
      writer.start();
      if (json === undefined) return writer.finish();
      try {
        unit.write(json, writer, 1, false);
      } catch (error) {
        if (!(error instanceof JsonFault)) throw error;
        const where = error.path === "" ? desc.typeName : error.path;
        throw createCodecError("json_invalid", `${where}: ${error.message}`);
      }
      return writer.finish();
    },
    jsonFromBytes(bytes: Uint8Array): string {
      try {
        return unit.read(reader, reader.start(bytes, desc.typeName), 1);
      } finally {
        reader.finish();
      }
    },
  };
}
