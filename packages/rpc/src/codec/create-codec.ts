import type { DescMessage } from "@bufbuild/protobuf";
import { createCompiledCodec } from "./compiled/compiled-codec.ts";
import { mayGenerate } from "./compiled/scope.ts";
import type { CodecOptions, MessageCodec } from "./message-codec.ts";
import { createReflectiveCodec } from "./reflective-codec.ts";

const create = mayGenerate() ? createCompiledCodec : createReflectiveCodec;

/**
 * A codec for the messages of one type: code generated from the descriptor, or protobuf-es where generating code
 * is forbidden. Making one is dear and using it is cheap, so make it once.
 */
export function createCodec(desc: DescMessage, options: CodecOptions = {}): MessageCodec {
  return create(desc, options);
}
