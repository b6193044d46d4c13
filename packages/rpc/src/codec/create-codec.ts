import type { DescMessage } from "@bufbuild/protobuf";
import type { CodecOptions, MessageCodec } from "./message-codec.ts";
import { createReflectiveCodec } from "./reflective-codec.ts";

/** A codec for the messages of one type. Making one is dear and using it is cheap, so make it once. */
export function createCodec(desc: DescMessage, options: CodecOptions = {}): MessageCodec {
  return createReflectiveCodec(desc, options);
}
