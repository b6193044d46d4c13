import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { DescMessage } from "@bufbuild/protobuf";
import { createCompiledCodec } from "../../src/codec/compiled/compiled-codec.ts";
import { createReflectiveCodec } from "../../src/codec/reflective-codec.ts";
import type { CodecOptions, MessageCodec } from "../../src/codec/message-codec.ts";
import { compileProtos } from "../../src/schema/compile-protos.ts";

const schema = await compileProtos(
  ["types.proto", "legacy.proto"].map((name) => fileURLToPath(new URL(name, import.meta.url))),
);

/** What knows the types of `types.proto`, `legacy.proto` and their imports. */
export const { registry } = schema;

export const Types = messageType("test.Types");
export const Legacy = messageType("test.legacy.Legacy");

function messageType(name: string): DescMessage {
  const desc = registry.getMessage(name);
  assert.ok(desc !== undefined);
  return desc;
}

/** Both implementations of the contract. */
export const implementations: Readonly<
  Record<string, (desc: DescMessage, options?: CodecOptions) => MessageCodec>
> = {
  compiled: (desc, options) => createCompiledCodec(desc, { registry, ...options }),
  reflective: (desc, options) => createReflectiveCodec(desc, { registry, ...options }),
};

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Bytes from hex digits; spaces are for the reader. */
export function bytesOf(digits: string): Uint8Array {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}
